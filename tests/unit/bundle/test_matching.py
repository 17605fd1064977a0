"""Which rows a bundle's items have, remembered in the store of the catalogue."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.small_bundle import ITEMS, write_small_bundle
from vitrine.bundle import AttachedBundle, Bundle, load_bundle, write_bundle
from vitrine.bundle.matching import matched
from vitrine.catalog import Catalog
from vitrine.catalog.beside import FOLDER
from vitrine.catalog.mirror import CatalogMirror
from vitrine.catalog.store import CatalogStore
from vitrine.domain.items import Item

RED, BLUE, CUP, NOTHING = ITEMS


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The lists of ids that catalogues are asked for."""
    calls: list[list[str]] = []
    rows = Catalog.rows

    def spy(self: Catalog, item_ids: list[str], within: int | None = None) -> np.ndarray:
        calls.append(list(item_ids))
        return rows(self, item_ids, within)

    monkeypatch.setattr(Catalog, "rows", spy)
    return calls


def opened(folder: Path) -> CatalogStore:
    return CatalogStore.open(folder, Catalog(0))


def attach(bundle: Bundle, store: CatalogStore) -> AttachedBundle:
    return AttachedBundle(bundle, store.catalog, memory=store)


def same(one: AttachedBundle, other: AttachedBundle) -> None:
    np.testing.assert_array_equal(one.catalog_rows, other.catalog_rows)
    np.testing.assert_array_equal(one.bundle_rows, other.bundle_rows)
    for mine, theirs in ((one.content, other.content), (one.interest_vectors, other.interest_vectors)):
        assert mine is not None
        assert theirs is not None
        np.testing.assert_array_equal(mine, theirs)


def test_the_next_start_asks_for_what_was_missing_alone(
    small_bundle: Path, tmp_path: Path, asked: list[list[str]]
) -> None:
    bundle = load_bundle(small_bundle)
    store = opened(tmp_path)
    store.upsert([CUP, Item(item_id="new", title="mug"), RED], None, 1.0)
    asked.clear()
    first = attach(bundle, store)
    assert asked == [list(bundle.item_ids)]
    first.close()
    # Comes while no bundle is there to see it.
    store.upsert([BLUE], None, 2.0)
    store.close()
    asked.clear()
    store = opened(tmp_path)
    again = attach(bundle, store)
    assert asked == [["blue", "nothing"]]
    same(again, AttachedBundle(bundle, store.catalog))
    store.upsert([NOTHING], None, 3.0)
    same(again, AttachedBundle(bundle, store.catalog))
    assert again.bundle_rows.tolist() == [2, -1, 0, 1, 3]
    store.close()


def test_another_bundle_is_matched_anew(small_bundle: Path, tmp_path: Path, asked: list[list[str]]) -> None:
    store = opened(tmp_path / "store")
    store.upsert(ITEMS, None, 1.0)
    attach(load_bundle(small_bundle), store)
    write_bundle(tmp_path / "b", item_ids=[NOTHING.item_id, RED.item_id, CUP.item_id, BLUE.item_id])
    asked.clear()
    other = attach(load_bundle(tmp_path / "b"), store)
    assert len(asked) == 1
    assert other.catalog_rows.tolist() == [3, 0, 2, 1]
    store.close()


def test_a_damaged_memory_is_none(small_bundle: Path, tmp_path: Path, asked: list[list[str]]) -> None:
    store = opened(tmp_path)
    store.upsert(ITEMS, None, 1.0)
    bundle = load_bundle(small_bundle)
    rows = matched(bundle, store.catalog, store)
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")
    asked.clear()
    np.testing.assert_array_equal(matched(bundle, store.catalog, store), rows)
    assert len(asked) == 1
    store.close()


def test_a_mirror_reads_what_the_owner_remembers_and_writes_nothing(
    small_bundle: Path, tmp_path: Path, asked: list[list[str]]
) -> None:
    store = opened(tmp_path)
    store.upsert(ITEMS[:3], None, 1.0)
    bundle = load_bundle(small_bundle)
    rows = matched(bundle, store.catalog, store)
    mirror = CatalogMirror(tmp_path, Catalog(0))
    asked.clear()
    np.testing.assert_array_equal(matched(bundle, mirror.catalog, mirror), rows)
    assert asked == [["nothing"]]
    # One that is behind the owner lacks rows that are remembered.
    behind = Catalog(0)
    behind.apply(ITEMS[:1], 1)
    assert matched(bundle, behind, mirror).tolist() == [0, -1, -1, -1]
    mirror.close()
    store.close()


def test_without_a_store_nothing_is_remembered(small_bundle: Path) -> None:
    catalog = Catalog(0)
    catalog.apply(ITEMS[1:], 1)
    assert matched(load_bundle(small_bundle), catalog, None).tolist() == [-1, 0, 1, 2]
    store = CatalogStore.open(None, Catalog(0))
    store.upsert(ITEMS[1:], None, 1.0)
    assert matched(load_bundle(small_bundle), store.catalog, store).tolist() == [-1, 0, 1, 2]
    assert store.kept("rows of the bundle") is None


def test_items_that_come_while_a_bundle_is_attached_are_not_missed(tmp_path: Path) -> None:
    write_small_bundle(tmp_path / "b")
    bundle = load_bundle(tmp_path / "b")
    store = opened(tmp_path / "s")
    store.upsert([CUP], None, 1.0)

    class Busy:
        """Something is upserted after the rows were found, before the bundle listens."""

        def kept(self, _: str) -> None:
            return None

        def keep(self, _: str, __: bytes) -> None:
            store.upsert([RED, Item(item_id="new", title="mug")], None, 2.0)

    attached = AttachedBundle(bundle, store.catalog, memory=Busy())
    same(attached, AttachedBundle(bundle, store.catalog))
    assert attached.bundle_rows.tolist() == [2, 0, -1]
    store.close()
