"""A mirror has the owner's rows, columns and texts, whatever the owner has done in between."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vitrine.catalog import Catalog
from vitrine.catalog.mirror import CatalogMirror
from vitrine.catalog.store import CatalogStore
from vitrine.domain.items import Availability, Item


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CatalogStore]:
    opened = CatalogStore.open(tmp_path, Catalog(3))
    yield opened
    opened.close()


@pytest.fixture
def mirror(store: CatalogStore, tmp_path: Path) -> Iterator[CatalogMirror]:
    store.upsert([_item(n) for n in range(30)], None, 1.0)
    made = CatalogMirror(tmp_path, Catalog(3))
    yield made
    made.close()


def _item(number: int, title: str = "red mug", **more: object) -> Item:
    return Item(item_id=f"i{number}", title=f"{title} {number}", brand=f"b{number % 3}", **more)  # type: ignore[arg-type]


def _same(store: CatalogStore, mirror: CatalogMirror) -> None:
    own, copy = store.catalog, mirror.catalog
    assert (copy.ids, list(copy.titles), copy.revision) == (own.ids, list(own.titles), own.revision)
    for name in ("sellable", "price_micros", "created", "tie"):
        np.testing.assert_array_equal(getattr(copy, name), getattr(own, name))
    everything = np.ones(len(own), bool)
    for query in ("mug", "red", "blue", "7", "b1", "nothing"):
        found, there = (text.search(query, everything) for text in (store.text, mirror.text))
        np.testing.assert_array_equal(there.rows, found.rows)
        np.testing.assert_array_equal(there.scores, found.scores)


def test_it_begins_as_the_owner_is(store: CatalogStore, mirror: CatalogMirror) -> None:
    _same(store, mirror)


def test_it_follows_new_and_changed_items_in_any_order(store: CatalogStore, mirror: CatalogMirror) -> None:
    _same(store, mirror)
    store.upsert([_item(40), _item(5, "blue mug"), _item(41)], None, 2.0)
    # New since the mirror last looked, and changed since: its revision is not that of its row.
    store.upsert([_item(40, "blue cup"), _item(7, availability=Availability.OUT_OF_STOCK)], None, 3.0)
    store.upsert([_item(42)], None, 4.0)
    mirror.refresh(store.revision)
    _same(store, mirror)


def test_it_does_not_read_again_what_it_has(
    store: CatalogStore, mirror: CatalogMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "_changed", lambda _: pytest.fail("read again"))
    mirror.refresh(store.revision)


def test_an_empty_catalogue_fills_later(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path, Catalog(3))
    mirror = CatalogMirror(tmp_path, Catalog(3))
    assert len(mirror.catalog) == 0
    store.upsert([_item(1)], None, 1.0)
    mirror.refresh()
    _same(store, mirror)
    mirror.close()
    store.close()
