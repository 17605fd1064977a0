"""Rows of a list are remembered as long as they are true."""

from vitrine.catalog import Catalog
from vitrine.domain.items import Item
from vitrine.domain.known_rows import _A_LIST, _KEPT, _LONGEST, _memos, rows_of


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


def test_who_asks_in_the_middle_of_a_change_is_not_told_forever_that_an_item_is_missing() -> None:
    ids, told = ("a", "b"), []

    class Asked(Catalog):
        """Somebody asks once rows are published, before they are found by name."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "_columns" and len(self) == 2:
                told.append(rows_of(self, ids).tolist())

    catalog = Asked()
    catalog.apply([Item(item_id="a")], 1)
    catalog.apply([Item(item_id="b")], 2)
    assert told == [[0, -1]]
    assert rows_of(catalog, ids).tolist() == [0, 1]


def test_lists_of_not_more_items_than_so_many_are_kept() -> None:
    catalog, size = catalog_of("a"), 1_000
    many = _KEPT // (size + _A_LIST)
    lists = [("a", *map(str, range(k, k + size - 1))) for k in range(many + 50)]
    for ids in lists:
        assert rows_of(catalog, ids).tolist() == [0] + [-1] * (size - 1)
    kept = _memos[catalog]._known
    assert [known[0] for known in kept.values()] == lists[50:]
    assert len(kept) == many
    # Looked up again as the catalogue grows: no list counts twice.
    catalog.apply([Item(item_id="b")], 2)
    for ids in lists[50:]:
        rows_of(catalog, ids)
    assert len(kept) == many


def test_short_lists_are_not_endlessly_many() -> None:
    catalog = catalog_of("a")
    for k in range(_KEPT // _A_LIST):
        rows_of(catalog, (str(k),))
    assert len(_memos[catalog]._known) == _KEPT // (1 + _A_LIST)


def test_a_list_longer_than_most_is_not_kept() -> None:
    catalog = catalog_of("a")
    ids = ("a",) * (_LONGEST + 1)
    assert len(rows_of(catalog, ids)) == len(ids)
    assert not _memos[catalog]._known
