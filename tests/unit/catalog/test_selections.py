"""Kept selections, against filters that are applied anew."""

import numpy as np
import pytest

from tests.support.random_items import HOUR, random_items
from vitrine.catalog import Catalog, selections
from vitrine.catalog.journal import Journal
from vitrine.domain.items import Item
from vitrine.domain.request import Filters

FILTERS = [
    Filters(),
    Filters(categories=("a",)),
    Filters(categories=("a > b", "c"), max_price_micros=60),
    Filters(brands=("x",), min_price_micros=20),
    Filters(created_after=10 * HOUR),
    Filters(brands=("nobody",)),
]


class Thirds:
    """Rows of the first ten by their remainder."""

    def __len__(self) -> int:
        return 10

    def counts(self, rows: np.ndarray) -> np.ndarray:
        return np.bincount(rows % 3, minlength=3)


@pytest.mark.parametrize("seed", range(5))
def test_a_selection_is_what_the_filters_leave_whatever_changed(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selections, "NARROW", 40)
    rng = np.random.default_rng(seed)
    catalog, thirds = Catalog(), Thirds()
    for revision in range(1, 40):
        catalog.apply(random_items(rng, int(rng.choice([1, 3, 30]))), revision)
        for filters in rng.permutation(np.array(FILTERS, object))[:4]:
            selection, mask = catalog.selection(filters), catalog.allowed(filters)
            np.testing.assert_array_equal(selection.mask, mask)
            assert selection.count == np.count_nonzero(mask)
            if selection.count > 40:
                assert selection.rows is None
            else:
                np.testing.assert_array_equal(selection.rows, np.flatnonzero(mask))
            # Too few, and a list with something allowed is not looked into; too many, and empty ones are.
            exact = thirds.counts(np.flatnonzero(mask[:10]))
            counts = selection.counts(thirds)
            np.testing.assert_array_equal(counts.each, exact)
            assert counts.filled.tolist() == np.flatnonzero(exact).tolist()
            assert counts.total == exact.sum()


def test_a_selection_is_kept_and_read_only() -> None:
    catalog = Catalog()
    catalog.apply(random_items(np.random.default_rng(0), 100), 1)
    kept = catalog.selection(Filters(brands=("x",)))
    assert catalog.selection(Filters(brands=("x",), exclude=("i1",))) is kept, (
        "single items are another matter"
    )
    with pytest.raises(ValueError, match="read-only"):
        kept.mask[0] = True


def test_few_selections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog()
    catalog.apply(random_items(np.random.default_rng(0), 100), 1)
    monkeypatch.setattr(selections, "_MOST_BYTES", 3 * len(catalog))
    first = catalog.selection(Filters(min_price_micros=1))
    others = [catalog.selection(Filters(min_price_micros=price)) for price in (2, 3)]
    assert catalog.selection(Filters(min_price_micros=1)) is first
    catalog.selection(Filters(min_price_micros=4))
    assert catalog.selection(Filters(min_price_micros=1)) is first, "the one used longest ago leaves"
    assert catalog.selection(Filters(min_price_micros=2)) is not others[0]


def test_what_nobody_asks_for_does_not_grow_with_the_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections, "_MOST_WAITING", 50)
    catalog, often, once = Catalog(), Filters(), Filters(brands=("x",))
    catalog.apply(random_items(np.random.default_rng(0), 1_000), 1)
    catalog.selection(once)
    for revision in range(2, 120):
        catalog.apply(random_items(np.random.default_rng(revision), 1), revision)
        kept = catalog.selection(often)
        np.testing.assert_array_equal(kept.mask, catalog.allowed(often))
    assert list(catalog._selections._kept) == [often]
    np.testing.assert_array_equal(catalog.selection(once).mask, catalog.allowed(once))


def test_the_journal_tells_what_changed_since_and_when_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal = Journal()
    assert journal.since(-1) == (None, 0)
    journal.add(np.array([3, 5], np.int32))
    journal.add(np.array([1, 3], np.int32))
    rows, last = journal.since(0)
    assert rows is not None
    assert (rows.tolist(), last) == ([1, 3, 5], 2)
    rows, _ = journal.since(1)
    assert rows is not None
    assert rows.tolist() == [1, 3]
    rows, _ = journal.since(2)
    assert rows is not None
    assert len(rows) == 0
    monkeypatch.setattr("vitrine.catalog.journal._MOST", 4)
    journal.add(np.array([7], np.int32))
    assert journal.since(0)[0] is None
    assert journal.since(1)[0] is not None
    journal.forget()
    assert journal.since(3) == (None, 4)


def test_the_one_that_is_asked_for_stays_when_a_larger_catalogue_has_room_for_fewer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selections, "_MOST_BYTES", 300)
    rng, catalog = np.random.default_rng(0), Catalog()
    catalog.apply([Item(item_id=f"i{k}", brand="x") for k in range(100)], 1)
    oldest = Filters(brands=("x",))
    for filters in (oldest, Filters(), Filters(min_price_micros=1)):
        catalog.selection(filters)
    catalog.apply(random_items(rng, 50) + [Item(item_id=f"n{k}", brand="x") for k in range(200)], 2)
    np.testing.assert_array_equal(catalog.selection(oldest).mask, catalog.allowed(oldest))
    assert list(catalog._selections._kept) == [oldest]
