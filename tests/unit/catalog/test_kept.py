"""Columns that are kept for the next start: the same catalogue as from the items, or the items it is."""

from dataclasses import fields
from pathlib import Path

import apsw
import msgspec
import numpy as np
import pytest

from vitrine.catalog import Catalog, kept
from vitrine.catalog.database import FILE
from vitrine.catalog.mirror import CatalogMirror
from vitrine.catalog.store import CatalogStore
from vitrine.content.text import text_hashes
from vitrine.domain.items import Availability, Item
from vitrine.domain.request import NO_FILTERS, Filters

SEED = 5


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("kept", "filling", "store"):
        monkeypatch.setattr(f"vitrine.catalog.{module}.PART", 8)


def some(*numbers: int, title: str = "Thing") -> list[Item]:
    return [
        Item(
            item_id=f"i{k}",
            title=f"{title} {k} 茶",
            description="blue" * (k % 3),
            category_path=("Home", f"Lamps {k % 4}", "x")[: k % 4],
            brand=("", "Acme", "B > C")[k % 3],
            price_micros=k * 1_000_000,
            availability=Availability.IN_STOCK if k % 5 else Availability.OUT_OF_STOCK,
            created=float(k),
        )
        for k in numbers
    ]


def opened(folder: Path, seed: int = SEED) -> CatalogStore:
    return CatalogStore.open(folder, Catalog(seed))


def restored(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Which parts of the catalogues that are opened from now on come from what was kept."""
    found: list[bool] = []

    def restore(*arguments: object) -> bool:
        found.append(kept.restore(*arguments))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr("vitrine.catalog.filling.restore", restore)
    return found


def check(catalog: Catalog) -> None:
    """Everything is as if the items had been added one after the other."""
    items = [catalog.item(row) for row in range(len(catalog))]
    anew = Catalog(catalog.seed)
    anew.apply(items, catalog.revision)
    assert (catalog.ids, catalog.titles) == (anew.ids, anew.titles)
    assert (catalog.categories, catalog.brands) == (anew.categories, anew.brands)
    for field in fields(anew.columns):
        np.testing.assert_array_equal(getattr(catalog.columns, field.name), getattr(anew.columns, field.name))
    np.testing.assert_array_equal(catalog.text_hashes(catalog.rows(catalog.ids)), text_hashes(items))
    assert [catalog.counter_keys(i) for i in catalog.ids] == [anew.counter_keys(i) for i in anew.ids]
    within = Filters(categories=("Home > Lamps 3",))
    np.testing.assert_array_equal(catalog.allowed(within), anew.allowed(within))


def test_a_store_that_was_closed_comes_back_from_its_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(30)), None, 1.0)
    revision = store.upsert(some(3, title="Changed"), None, 2.0)
    store.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path)
    assert parts == [True] * 4
    assert store.revision == revision
    check(store.catalog)
    assert store.text.search("changed", store.catalog.allowed(NO_FILTERS)).rows.tolist() == [3]
    store.upsert(some(30, 31, 32), None, 3.0)
    check(store.catalog)
    store.close()
    parts.clear()
    store = opened(tmp_path)
    assert parts == [True] * 5
    check(store.catalog)
    store.close()


def test_after_a_crash_the_parts_that_changed_are_made_of_their_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path / "one")
    store.upsert(some(*range(30)), None, 1.0)
    store.close()
    store = opened(tmp_path / "one")
    store.upsert(some(9, title="New"), None, 2.0)
    revision = store.upsert(some(30), None, 3.0)
    # As a crash leaves it: nothing is kept.
    (tmp_path / "two").mkdir()
    copy = apsw.Connection(str(tmp_path / "two" / FILE))
    source = apsw.Connection(str(tmp_path / "one" / FILE))
    with copy.backup("main", source, "main") as backup:
        backup.step()
    copy.close()
    source.close()
    store.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path / "two")
    assert parts == [True, False, True, False]
    assert store.revision == revision
    check(store.catalog)
    assert store.catalog.titles[9] == "New 9 茶"
    assert store.upsert(some(99), None, 4.0) == revision + 1, "no revision is given out twice"
    store.close()


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x90", b"kept"])
def test_what_is_damaged_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(10)), None, 1.0)
    store.close()
    writer = apsw.Connection(str(tmp_path / FILE))
    writer.execute("UPDATE state SET data = ? WHERE name = 'rows from 0'", (data,))
    writer.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path)
    assert parts == [False, True]
    check(store.catalog)
    store.close()


def test_another_seed_makes_other_ties(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(10)), None, 1.0)
    ties = store.catalog.tie.tolist()
    store.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path, SEED + 1)
    assert parts == [False, False]
    assert store.catalog.tie.tolist() != ties
    check(store.catalog)
    store.close()


def test_the_revision_never_goes_back(tmp_path: Path) -> None:
    """The latest change may be to one of the first items."""
    store = opened(tmp_path)
    store.upsert(some(*range(20)), None, 1.0)
    revision = store.upsert(some(0, title="Latest"), None, 2.0)
    store.close()
    store = opened(tmp_path)
    assert store.revision == revision
    store.close()


def test_a_mirror_begins_with_the_same_columns_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(20)), None, 1.0)
    store.close()
    store = opened(tmp_path)
    store.upsert(some(20, 3, title="Changed"), None, 2.0)
    parts = restored(monkeypatch)
    mirror = CatalogMirror(tmp_path, Catalog(SEED))
    assert parts == [False, True, False]
    assert mirror.catalog.revision == store.revision
    check(mirror.catalog)
    revision = store.upsert(some(21, 4, title="Later"), None, 3.0)
    mirror.refresh(revision)
    check(mirror.catalog)
    allowed = mirror.catalog.allowed(NO_FILTERS)
    assert (
        mirror.text.search("later", allowed).rows.tolist()
        == store.text.search("later", allowed).rows.tolist()
    )
    mirror.close()
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        {"category": np.array([9, 0, 0, 0], "<i4")},
        {"category": np.array([-2, 0, 0, 0], "<i4")},
        {"brand": np.array([0, 0, 0, 77], "<i4")},
        {"titles": ["one", "two"]},
    ],
)
def test_places_and_titles_that_do_not_fit_are_made_anew(damage: dict[str, object]) -> None:
    catalog = Catalog(SEED)
    catalog.apply(some(1, 2, 3, 4), 1)
    part = msgspec.msgpack.decode(kept.keep(catalog, 0, 4))
    for name, value in damage.items():
        if isinstance(value, np.ndarray):
            part[5][name] = value.tobytes()
        else:
            part[2] = value
    empty = Catalog(SEED)
    assert not kept.restore(empty, msgspec.msgpack.encode(part), catalog.packed(0, 4), 1)
    assert len(empty) == 0
