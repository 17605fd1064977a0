"""A bundle follows the live catalogue."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.support.models import interest_table
from tests.support.small_bundle import ITEMS, write_small_bundle
from vitrine.bundle import AttachedBundle, load_bundle, write_bundle
from vitrine.catalog import Catalog
from vitrine.content.encoder import HashedEncoder
from vitrine.domain.items import Item

RED, BLUE, CUP, NOTHING = ITEMS


@pytest.fixture
def catalog() -> Catalog:
    catalog = Catalog(seed=0)
    catalog.apply([CUP, Item(item_id="new", title="mug")], 1)
    return catalog


def test_rows_both_ways(bundle_path: Path, catalog: Catalog) -> None:
    attached = AttachedBundle(load_bundle(bundle_path), catalog)
    assert attached.bundle_rows.tolist() == [2, -1]
    assert attached.catalog_rows.tolist() == [-1, -1, 0, -1]
    catalog.apply([RED, Item(item_id="newer")], 2)
    assert attached.bundle_rows.tolist() == [2, -1, 0, -1]
    assert attached.catalog_rows.tolist() == [2, -1, 0, -1]


def test_new_items_are_encoded_and_known_ones_looked_up(bundle_path: Path, catalog: Catalog) -> None:
    bundle = load_bundle(bundle_path)
    assert bundle.content is not None
    attached = AttachedBundle(bundle, catalog)
    assert attached.content is not None
    np.testing.assert_array_equal(attached.content[0], bundle.content.vectors[2])
    np.testing.assert_array_equal(attached.content[1], bundle.content.encode_text(["mug"])[0])
    assert np.linalg.norm(attached.content[1]) == pytest.approx(1)


def test_a_changed_text_is_encoded_again_and_a_changed_price_is_not(
    bundle_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load_bundle(bundle_path)
    assert bundle.content is not None
    attached = AttachedBundle(bundle, catalog)
    calls: list[list[str]] = []
    encode = HashedEncoder.encode

    def spy(self: HashedEncoder, items: Sequence[Item]) -> np.ndarray:
        calls.append([i.item_id for i in items])
        return encode(self, items)

    monkeypatch.setattr(HashedEncoder, "encode", spy)
    catalog.apply([msgspec.structs.replace(CUP, price_micros=5_000_000)], 2)
    assert calls == []
    catalog.apply([msgspec.structs.replace(CUP, title="blue mug")], 3)
    assert calls == [["杯"]]
    assert attached.content is not None
    np.testing.assert_array_equal(attached.content[0], bundle.content.vectors[1])
    catalog.apply([CUP], 4)
    np.testing.assert_array_equal(attached.content[0], bundle.content.vectors[2])


def test_arrays_always_reach_the_end_of_the_catalogue(bundle_path: Path, catalog: Catalog) -> None:
    attached = AttachedBundle(load_bundle(bundle_path), catalog)
    attached.close()
    catalog.apply([Item(item_id=f"i{n}") for n in range(3000)], 2)
    # Not told of them, but nobody who holds their rows runs over the end.
    assert len(attached.bundle_rows) == 3002
    assert attached.content is not None
    assert len(attached.content) == 3002
    assert (attached.bundle_rows[2:] == -1).all()


def test_growth_keeps_what_was_there(bundle_path: Path, catalog: Catalog) -> None:
    attached = AttachedBundle(load_bundle(bundle_path), catalog)
    assert attached.content is not None
    before = attached.content.copy()
    for start in range(0, 5000, 500):
        catalog.apply([Item(item_id=f"i{start + n}", title="red") for n in range(500)], start + 2)
    assert attached.content is not None
    np.testing.assert_array_equal(attached.content[:2], before)
    assert np.linalg.norm(attached.content[2:], axis=1) == pytest.approx(1)
    assert (attached.bundle_rows[2:] == -1).all()


def test_without_content(tmp_path: Path, catalog: Catalog) -> None:
    write_bundle(tmp_path / "b", item_ids=["new"])
    attached = AttachedBundle(load_bundle(tmp_path / "b"), catalog)
    assert attached.content is None
    assert attached.interest_vectors is None
    assert attached.bundle_rows.tolist() == [-1, 0]


def test_interest_vectors_are_those_of_training_or_projected(bundle_path: Path, catalog: Catalog) -> None:
    bundle = load_bundle(bundle_path)
    attached = AttachedBundle(bundle, catalog)
    assert bundle.interest is not None
    assert bundle.interest.projection is not None
    assert attached.content is not None
    assert attached.interest_vectors is not None
    assert attached.interest_vectors.shape == (2, 4)
    np.testing.assert_array_equal(attached.interest_vectors[0], bundle.interest.vectors[2])
    np.testing.assert_allclose(
        attached.interest_vectors[1], attached.content[1] @ bundle.interest.projection, atol=1e-6
    )
    catalog.apply([RED, Item(item_id="silent")], 2)
    np.testing.assert_array_equal(attached.interest_vectors[2], bundle.interest.vectors[0])
    assert attached.interest_vectors[3].tolist() == [0, 0, 0, 0]


def test_interest_vectors_follow_the_text_of_new_items_alone(bundle_path: Path, catalog: Catalog) -> None:
    attached = AttachedBundle(load_bundle(bundle_path), catalog)
    assert attached.interest_vectors is not None
    trained, mug = attached.interest_vectors.copy()
    catalog.apply(
        [
            msgspec.structs.replace(CUP, title="blue mug"),
            Item(item_id="new", title="red"),
            Item(item_id="newer", title="mug"),
        ],
        2,
    )
    np.testing.assert_array_equal(attached.interest_vectors[0], trained)
    assert not np.array_equal(attached.interest_vectors[1], mug)
    np.testing.assert_array_equal(attached.interest_vectors[2], mug)
    catalog.apply([Item(item_id="new", title="")], 3)
    assert not attached.interest_vectors[1].any()
    catalog.apply([Item(item_id="new", title="mug")], 4)
    np.testing.assert_array_equal(attached.interest_vectors[1], mug)


def test_projected_vectors_are_the_same_one_by_one_and_all_at_once(small_bundle: Path) -> None:
    bundle = load_bundle(small_bundle)
    words = ("red", "blue mug", "红", "mug red", "杯")
    new = [Item(item_id=f"i{n}", title=words[n % 5]) for n in range(300)]
    together, apart = Catalog(seed=0), Catalog(seed=0)
    first, second = AttachedBundle(bundle, together), AttachedBundle(bundle, apart)
    together.apply(new, 1)
    for n, item in enumerate(new):
        apart.apply([item], n + 1)
    assert first.interest_vectors is not None
    assert second.interest_vectors is not None
    assert first.interest_vectors.any()
    np.testing.assert_array_equal(first.interest_vectors, second.interest_vectors)


def test_interest_without_a_projection_or_content(tmp_path: Path, catalog: Catalog) -> None:
    write_small_bundle(tmp_path / "b", content=None, interest=interest_table(len(ITEMS)))
    bundle = load_bundle(tmp_path / "b")
    attached = AttachedBundle(bundle, catalog)
    assert bundle.interest is not None
    assert attached.interest_vectors is not None
    np.testing.assert_array_equal(attached.interest_vectors[0], bundle.interest.vectors[2])
    assert attached.interest_vectors[1].tolist() == [0, 0, 0, 0]
    catalog.apply([RED, Item(item_id="newer", title="mug")], 2)
    np.testing.assert_array_equal(attached.interest_vectors[2], bundle.interest.vectors[0])
    assert not attached.interest_vectors[3].any()


def test_interest_vectors_reach_the_end_of_the_catalogue(small_bundle: Path, catalog: Catalog) -> None:
    attached = AttachedBundle(load_bundle(small_bundle), catalog)
    attached.close()
    catalog.apply([Item(item_id=f"i{n}") for n in range(3000)], 2)
    assert attached.interest_vectors is not None
    assert len(attached.interest_vectors) == 3002
    assert not attached.interest_vectors[2:].any()


def test_arrays_are_read_only(small_bundle: Path, catalog: Catalog) -> None:
    """Plugins have them, too."""
    attached = AttachedBundle(load_bundle(small_bundle), catalog)
    for array in (attached.bundle_rows, attached.catalog_rows, attached.content, attached.interest_vectors):
        assert array is None or not array.flags.writeable
    assert attached.content is not None
