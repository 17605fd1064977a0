"""Rows of many identifiers at once are those of the dictionary."""

import random
from threading import Thread

import pytest

from vitrine.catalog import id_table
from vitrine.catalog.id_table import IdTable


class _Shop:
    def __init__(self) -> None:
        self.ids: list[str] = []
        self.row_of: dict[str, int] = {}
        self.table = IdTable(self.ids, self.row_of)

    def grow(self, new: list[str]) -> None:
        self.ids += new
        self.row_of.update((item, len(self.row_of)) for item in new)

    def check(self, asked: list[str]) -> None:
        found = self.table.rows(asked)
        assert found.dtype == "int32"
        assert found.tolist() == [self.row_of.get(item, -1) for item in asked]


class _Same(str):
    """Identifiers of one hash."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 7


def test_rows_are_those_of_the_dictionary_however_the_catalogue_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(id_table, "_CHUNK", 500)
    chance = random.Random(3)
    shop = _Shop()
    for size in (0, 1, 30, 900, 1024, 1025, 5000, 5001):
        shop.grow([f"i{k}" for k in range(len(shop.ids), size)])
        for count in (0, 1, 23, 24, 300, 1500):
            shop.check([f"i{chance.randrange(-20, size + 20)}" for _ in range(count)])


def test_items_of_one_hash_are_told_apart_however_they_arrive() -> None:
    shop = _Shop()
    alike = [_Same(f"same{k}") for k in range(5)]
    shop.grow([*(f"i{k}" for k in range(40)), alike[0]])
    shop.check([*shop.ids, "nobody"])
    for k, another in enumerate(alike[1:]):
        shop.grow([another, *(f"j{k}-{n}" for n in range(1000))])
        shop.check([*alike, "nobody", *shop.ids])


def test_an_item_of_the_first_ones_hash_is_told_from_it_when_it_comes_later() -> None:
    shop = _Shop()
    shop.grow([_Same("first"), *(f"i{k}" for k in range(40))])
    shop.check(shop.ids)
    shop.grow([_Same("later")])
    shop.check(shop.ids)


def test_who_asks_while_items_arrive_is_answered_right() -> None:
    shop = _Shop()
    shop.grow([f"i{k}" for k in range(2000)])
    asked = [f"i{k}" for k in range(0, 2000, 3)]
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(300):
            found = shop.table.rows(asked).tolist()
            if found != list(range(0, 2000, 3)):
                wrong.append(found)

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for start in range(2000, 40_000, 1000):
        shop.grow([f"i{k}" for k in range(start, start + 1000)])
    for thread in threads:
        thread.join()
    assert not wrong
    shop.check(shop.ids[::7])
