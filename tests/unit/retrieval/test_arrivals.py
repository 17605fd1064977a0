"""What came in lately, kept as the catalogue changes, against a look at all of it."""

import numpy as np
import pytest

from tests.support.random_items import HOUR, random_items
from vitrine.catalog import Catalog
from vitrine.domain.items import Item
from vitrine.retrieval.arrivals import Arrivals, LatelyArrived, Pairs


def told(arrivals: Arrivals, catalog: Catalog) -> set[tuple[int, float, int, int]]:
    pairs = zip(arrivals.pairs.categories[arrivals.pair], arrivals.pairs.brands[arrivals.pair], strict=True)
    return {
        (int(r), float(c), int(k), int(b))
        for r, c, (k, b) in zip(arrivals.rows, arrivals.created, pairs, strict=True)
    }


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_is_what_is_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    catalog, lately = Catalog(), LatelyArrived(5 * HOUR)
    for revision in range(1, 60):
        catalog.apply(random_items(rng, int(rng.choice([1, 2, 40]))), revision)
        hour = float(10 + revision // 20)
        kept = lately.around(catalog, hour)
        columns = catalog.columns
        assert told(kept, catalog) == told(
            Arrivals.of(columns, (hour - 5) * HOUR, (hour + 1) * HOUR), catalog
        )
        assert (np.diff(kept.created) <= 0).all()
        assert lately.around(catalog, hour) is kept, "nothing changed since"


def test_a_change_of_the_price_changes_nothing() -> None:
    catalog, lately = Catalog(), LatelyArrived(5 * HOUR)
    catalog.apply([Item(item_id="a", created=9 * HOUR), Item(item_id="b", created=8 * HOUR)], 1)
    before = lately.around(catalog, 10.0)
    catalog.apply([Item(item_id="a", created=9 * HOUR, price_micros=7)], 2)
    assert lately.around(catalog, 10.0) is before


@pytest.mark.parametrize("share", [1.0, 0.5, 0.02, 0.0])
@pytest.mark.parametrize("moments", [20_000, 3])
@pytest.mark.parametrize("least", [20, 300, 500])
def test_the_best_are_those_of_a_whole_sort(share: float, moments: int, least: int) -> None:
    rng = np.random.default_rng(1)
    n, most = 20_000, 500
    created = np.sort(rng.integers(0, moments, n).astype(np.float64))[::-1]
    rows = rng.permutation(n).astype(np.int32)
    # Few pairs are of the highest steps, as few categories are favourites.
    steps = np.array([0, 0, 0, 0, 3, 0, 0, 1, 0, 16], np.int8)
    pair = rng.integers(0, 10, n).astype(np.int32)
    pair[rng.random(n) < 0.9] = 0
    arrivals = Arrivals(rows, created, pair, Pairs(np.arange(10), pair))
    allowed, tie = rng.random(n) < share, rng.permutation(n).astype(np.uint64)

    found = arrivals.best(steps, allowed, tie, least, most)

    kept = np.flatnonzero(allowed[rows])
    order = kept[np.lexsort((tie[rows[kept]], -created[kept], -steps[pair[kept]]))]
    last = steps[pair[order[least - 1]]] if least <= len(order) else 0
    order = order[steps[pair[order]] >= last]
    assert sorted(found.tolist()) == sorted(order[:most].tolist())


def test_nothing_that_came_in_is_nothing_found() -> None:
    none = Arrivals.of(Catalog().columns, 0.0, HOUR)
    assert (
        len(none.best(np.empty(0, np.int8), np.ones(3, np.bool_), np.arange(3).astype(np.uint64), 5, 9)) == 0
    )
