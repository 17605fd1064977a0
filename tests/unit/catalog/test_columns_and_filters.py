"""The catalogue's columns and filters against a catalogue that is a list of items."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrine.catalog import Catalog
from vitrine.domain.ids import tie_keys
from vitrine.domain.items import Availability, Item, item_keys
from vitrine.domain.request import Filters

LEVELS = st.lists(st.sampled_from(["Home", "Lamps", "灯", "A > B"]), max_size=3).map(tuple)
PRICES = st.sampled_from([0, 1, 990_000, 1_000_000, 2_500_000])
TIMES = st.sampled_from([0.0, 1e9, 1.5e9])
ITEMS = st.builds(
    Item,
    item_id=st.sampled_from([f"i{k}" for k in range(8)]),
    title=st.text(max_size=5),
    category_path=LEVELS,
    brand=st.sampled_from(["", "Acme", "牌子"]),
    price_micros=PRICES,
    availability=st.sampled_from(list(map(int, Availability))),
    created=TIMES,
)
FILTERS = st.builds(
    Filters,
    categories=st.lists(st.sampled_from(["Home", "Home > Lamps", "灯", "Lamp", "A > B"]), max_size=2).map(
        tuple
    ),
    brands=st.lists(st.sampled_from(["", "Acme", "牌子", "nobody"]), max_size=2).map(tuple),
    min_price_micros=PRICES,
    max_price_micros=PRICES,
    exclude=st.lists(st.sampled_from([f"i{k}" for k in range(10)]), max_size=3).map(tuple),
    created_after=TIMES,
)


def naive(item: Item, filters: Filters) -> bool:
    path = item.category
    return (
        Availability(item.availability).sellable
        and (
            not filters.categories
            or any(
                " > ".join(item.category_path[:depth]) == prefix
                for prefix in filters.categories
                for depth in range(1, len(item.category_path) + 1)
            )
        )
        and (not filters.brands or (item.brand != "" and item.brand in filters.brands))
        and item.price_micros >= filters.min_price_micros
        and (not filters.max_price_micros or 0 < item.price_micros <= filters.max_price_micros)
        and item.item_id not in filters.exclude
        and item.created >= filters.created_after
        and path is not None
    )


@settings(max_examples=150)
@given(st.lists(st.lists(ITEMS, max_size=6), max_size=4), FILTERS)
def test_columns_and_filters(batches: list[list[Item]], filters: Filters) -> None:
    catalog, expected = Catalog(seed=7), dict[str, Item]()
    for revision, batch in enumerate(batches, 1):
        changed = catalog.apply(batch, revision)
        expected |= {item.item_id: item for item in batch}
        assert {catalog.ids[r] for r in changed.tolist()} == {item.item_id for item in batch}
        assert len(set(changed.tolist())) == len(changed)
        assert catalog.revision == revision
    assert catalog.ids == list(dict.fromkeys(item.item_id for batch in batches for item in batch))
    assert len(catalog) == len(expected)
    rows = catalog.rows(catalog.ids)
    assert rows.tolist() == list(range(len(catalog)))
    assert catalog.tie.tolist() == tie_keys(catalog.ids, 7).tolist()
    for row, item in zip(rows.tolist(), expected.values(), strict=True):
        assert catalog.get(item.item_id) == item == catalog.item(row)
        assert catalog.titles[row] == item.title
        assert catalog.counter_keys(item.item_id) == item_keys(item)
        assert catalog.price_micros[row] == item.price_micros
        code = catalog.category[row]
        assert (catalog.categories[code] if code >= 0 else "") == item.category
        code = catalog.brand[row]
        assert (catalog.brands[code] if code >= 0 else "") == item.brand
    allowed = catalog.allowed(filters)
    assert allowed.tolist() == [naive(item, filters) for item in expected.values()]


def test_what_is_unknown() -> None:
    catalog = Catalog()
    assert catalog.get("x") is None
    assert catalog.counter_keys("x") is None
    assert catalog.rows(["x"]).tolist() == [-1]
    assert catalog.brand_code("x") == -1
    assert len(catalog.allowed(Filters(categories=("x",), exclude=("x",)))) == 0


def test_columns_of_a_reader_keep_their_length_and_cannot_be_written() -> None:
    catalog = Catalog()
    catalog.apply([Item(item_id="a")], 1)
    before = catalog.columns
    catalog.apply([Item(item_id=f"i{k}") for k in range(5000)], 2)
    assert len(before) == 1
    assert len(catalog.columns) == 5001
    assert catalog.rows(["i3"], within=len(before)).tolist() == [-1]
    assert len(catalog.allowed(Filters(exclude=("i3", "a")), before)) == 1
    assert not catalog.columns.sellable.flags.writeable


def test_excluding_leaves_the_catalogue_alone() -> None:
    catalog = Catalog()
    catalog.apply([Item(item_id="a")], 1)
    assert catalog.allowed(Filters(exclude=("a",))).tolist() == [False]
    assert catalog.allowed(Filters()).tolist() == [True]


def test_listeners_hear_each_change_and_one_that_fails_harms_nobody() -> None:
    catalog, heard = Catalog(), list[list[int]]()

    def broken(_: object) -> None:
        raise RuntimeError

    stop_broken = catalog.subscribe(broken)
    stop = catalog.subscribe(lambda rows: heard.append(rows.tolist()))
    catalog.apply([Item(item_id="a"), Item(item_id="b"), Item(item_id="a")], 1)
    catalog.apply([Item(item_id="b")], 2)
    stop()
    stop_broken()
    stop()
    catalog.apply([Item(item_id="c")], 3)
    assert heard == [[0, 1], [1]]


def test_readers_never_see_columns_of_different_lengths() -> None:
    catalog, failures, done = Catalog(), list[BaseException](), threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                columns = catalog.columns
                filters = Filters(
                    categories=("c1",), brands=("b1",), max_price_micros=10, exclude=("i1", "i900")
                )
                assert len(catalog.allowed(filters, columns)) == len(columns)
                assert len(catalog.ids) >= len(columns)
        except BaseException as error:
            failures.append(error)
            raise

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for k in range(400):
        batch = [Item(item_id=f"i{k * 5 + j}", category_path=(f"c{k}",), brand=f"b{k}") for j in range(5)]
        catalog.apply(batch, k)
    done.set()
    for reader in readers:
        reader.join()
    assert not failures


def test_a_change_that_fails_leaves_the_rows_of_later_items_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise MemoryError

    catalog = Catalog()
    catalog.apply([Item(item_id=f"a{k}", title="one") for k in range(40)], 1)
    monkeypatch.setattr("vitrine.catalog.catalog.text_hashes", full)
    with pytest.raises(MemoryError):
        catalog.apply([Item(item_id=f"x{k}", title="two") for k in range(3)], 4)
    monkeypatch.undo()
    ids = [f"b{k}" for k in range(40)]
    catalog.apply([Item(item_id=i, title=i) for i in ids], 44)
    rows = catalog.rows(ids).tolist()
    assert rows == list(range(40, 80))
    assert [catalog.ids[row] for row in rows] == [catalog.titles[row] for row in rows] == ids
    assert catalog.rows(["x0"]).tolist() == [-1]
