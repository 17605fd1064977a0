"""Lists of sources as one, against doing it item by item."""

import math

import numpy as np
import pytest

from vitrine.catalog import Catalog
from vitrine.domain.candidates import RowIds
from vitrine.domain.items import Item
from vitrine.domain.profile import DAY
from vitrine.retrieval.merge import merge
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.sources import Found

N, NOW = 60, 1.7e9


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    catalog = Catalog()
    catalog.apply([Item(item_id=f"i{k}") for k in range(N)], 1)
    return catalog


@pytest.mark.parametrize("include", [(), (3, 7, 50)])
@pytest.mark.parametrize("sizes", [(20, 30, 1, 0, 7), (0, 0), (), (5,)])
def test_merging_is_taking_turns(sizes: tuple[int, ...], include: tuple[int, ...], catalog: Catalog) -> None:
    rng = np.random.default_rng(len(sizes))
    lists = [
        Found(rng.permutation(N)[:size].astype(np.int32), rng.random(size).astype(np.float32))
        for size in sizes
    ]
    names = [f"s{k}" for k in range(len(lists))]
    for limit in (1, 10, 500):
        got = merge(
            names,
            lists,
            catalog.ids,
            catalog.tie,
            limit,
            Popularity(catalog, 30 * DAY, 2 * DAY),
            NOW,
            np.array(include, np.int32),
        )

        places = {
            row: [found.rows.tolist().index(row) if row in found.rows else math.inf for found in lists]
            for row in {*include, *(row for found in lists for row in found.rows.tolist())}
        }
        order = sorted(
            places,
            key=lambda row: (
                min(places[row], default=math.inf),
                sum(map(math.isinf, places[row])),
                catalog.tie[row],
            ),
        )
        expected = order[:limit] + [row for row in order[limit:] if row in include]
        assert got.item_ids == [f"i{row}" for row in expected]
        assert got.rows.tolist() == expected
        assert got.scores.shape == (len(expected), len(lists))
        for at, row in enumerate(expected):
            for source, found in enumerate(lists):
                place = places[row][source]
                assert bool(int(got.masks[at]) >> source & 1) == (not math.isinf(place))
                score = math.nan if math.isinf(place) else found.scores[int(place)]
                np.testing.assert_equal(got.scores[at, source], np.float32(score))


def test_identifiers_of_rows_are_a_sequence_like_any_other() -> None:
    every = ["a", "b", "c", "d"]
    some = RowIds(every, np.array([2, 0, 3], np.int32))
    assert some == ["c", "a", "d"]
    assert some != ["c", "a"]
    assert some[1] == "a"
    assert some[-1] == "d"
    assert some[1:] == ["a", "d"]
    assert [*some] == ["c", "a", "d"]
    assert "d" in some
    assert "b" not in some
    assert some.index("d") == 2
    assert hash(some) == hash(("c", "a", "d"))
    assert not RowIds(every, np.empty(0, np.int32))
    with pytest.raises(IndexError):
        some[3]
