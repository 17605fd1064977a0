from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.config import RulesConfig
from vitrine.domain.profile import DAY, ItemHistory, Profile
from vitrine.domain.request import Context
from vitrine.ranking.caps import within_caps
from vitrine.ranking.diversity import diversify
from vitrine.ranking.rules import Shown, forbidden_items, forbidden_rows

NOW = 1000 * DAY


def _profile() -> Profile:
    ids = ("seen", "bought", "bought-long-ago", "carted", "hidden")
    n = len(ids)
    return Profile(
        items=ItemHistory(
            item_ids=ids,
            last_time=np.full(n, NOW),
            last_purchase=np.array([0, NOW - DAY, NOW - 100 * DAY, 0, 0]),
            views=np.ones(n),
            in_cart=np.array([0, 0, 0, 1.0, 0]),
            purchases=np.array([0, 1.0, 1.0, 0, 0]),
            quantity=np.zeros(n),
            long_term=np.ones(n),
            short_term=np.ones(n),
            rating=np.full(n, np.nan, np.float32),
            opinion=np.array([0, 0, 0, 0, -1], np.int8),
        )
    )


class _Numbers:
    """What numbers items: all but the baskets'."""

    def __init__(self) -> None:
        known = (*_profile().items.item_ids, "seed")
        self._row_of = {item_id: row for row, item_id in enumerate(known)}

    @property
    def numbered(self) -> int:
        return len(self._row_of)

    def rows(self, item_ids: Sequence[str], /) -> npt.NDArray[np.int32]:
        return np.array([self._row_of.get(item_id, -1) for item_id in item_ids], np.int32)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (RulesConfig(exclude_in_cart=False), {"hidden"}),
        (RulesConfig(), {"hidden", "carted", "in-basket", "seed"}),
        (RulesConfig(exclude_seeds=False), {"hidden", "carted", "in-basket"}),
        (
            RulesConfig(exclude_purchased=True, purchased_within_days=30),
            {"hidden", "carted", "in-basket", "seed", "bought"},
        ),
        (
            RulesConfig(exclude_purchased=True),
            {"hidden", "carted", "in-basket", "seed", "bought", "bought-long-ago"},
        ),
    ],
)
def test_forbidden_items(rules: RulesConfig, expected: set[str]) -> None:
    context = Context(item_ids=("seed",), basket=("in-basket",))
    if not rules.exclude_in_cart:
        context = Context()
    shown, numbers = Shown(_profile(), context, rules, NOW), _Numbers()
    assert forbidden_items(shown) == expected
    by_row = forbidden_rows(shown, numbers)
    assert by_row.dtype == np.int32
    assert set(by_row.tolist()) == set(numbers.rows(sorted(expected)).tolist())


def test_what_the_shopper_knows_is_forbidden_where_the_scene_leaves_it_out() -> None:
    rules, numbers = RulesConfig(exclude_seen=True), _Numbers()
    shown = Shown(_profile(), Context(), rules, NOW)
    assert forbidden_items(shown) == set(_profile().items.item_ids)
    assert forbidden_rows(shown, numbers).tolist() == [0, 1, 2, 3, 4]


def test_of_who_has_done_nothing_no_row_is_forbidden() -> None:
    nobody = Shown(Profile(), Context(), RulesConfig(exclude_seen=True, exclude_purchased=True), NOW)
    assert forbidden_items(nobody) == set()
    assert forbidden_rows(nobody, _Numbers()).tolist() == []


@given(st.lists(st.integers(-1, 4), max_size=40), st.integers(1, 4))
def test_caps_keep_the_first_of_each(codes: list[int], cap: int) -> None:
    kept = within_caps(np.array(codes, np.int32), cap)
    seen: dict[int, int] = {}
    for code, keep in zip(codes, kept.tolist(), strict=True):
        seen[code] = seen.get(code, 0) + 1
        assert keep == (code < 0 or seen[code] <= cap)


def test_diversity_prefers_the_different_among_the_good() -> None:
    scores = np.array([1.0, 0.95, 0.9, 0.2], np.float32)
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    picked, values = diversify(scores, vectors, 0.3, 3)
    assert picked.tolist() == [0, 2, 1]
    assert (np.diff(values) <= 0).all()
    kept, _ = diversify(scores, vectors, 0.0, 4)
    assert kept.tolist() == [0, 1, 2, 3]


def test_diversity_of_nothing_is_nothing() -> None:
    picked, values = diversify(np.empty(0, np.float32), np.empty((0, 2), np.float32), 0.5, 20)
    assert len(picked) == len(values) == 0
