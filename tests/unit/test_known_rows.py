"""Rows of a list are remembered as long as they are true."""

import numpy as np

from vitrine.catalog import Catalog
from vitrine.domain.items import Item
from vitrine.domain.known_rows import _KEPT, _memos, rows_of


def catalog_of(*item_ids: str) -> Catalog:
    catalog = Catalog()
    catalog.apply([Item(item_id=i) for i in item_ids], 1)
    return catalog


def test_rows_are_those_of_the_catalogue() -> None:
    catalog = catalog_of("a", "b", "c")
    ids = ("c", "?", "a")
    first = rows_of(catalog, ids)
    assert first.tolist() == [2, -1, 0]
    assert rows_of(catalog, ids) is first
    assert not first.flags.writeable
    # A list may change, and an equal tuple is another one.
    assert rows_of(catalog, ["c", "a"]).tolist() == [2, 0]
    assert rows_of(catalog, ()).tolist() == []


def test_what_was_unknown_is_found_once_it_comes() -> None:
    catalog = catalog_of("a")
    ids = ("a", "b")
    assert rows_of(catalog, ids).tolist() == [0, -1]
    catalog.apply([Item(item_id="b")], 2)
    assert rows_of(catalog, ids).tolist() == [0, 1]


def test_each_catalogue_has_its_own() -> None:
    one, other, ids = catalog_of("a", "b"), catalog_of("b", "a"), ("a", "b")
    assert rows_of(one, ids).tolist() == [0, 1]
    assert rows_of(other, ids).tolist() == [1, 0]


def test_not_more_than_so_many_are_kept() -> None:
    catalog = catalog_of("a")
    lists = [("a", str(k)) for k in range(_KEPT + 50)]
    for ids in lists:
        np.testing.assert_array_equal(rows_of(catalog, ids), [0, -1])
    assert len(_memos[catalog]._known) == _KEPT
