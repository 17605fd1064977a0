"""The split by date and the baselines on data that can be followed by hand."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.unit.evaluate.conftest import END, START
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine_export.evaluate.baselines import BuyAgain, ItemKnn, RecentPopularity
from vitrine_export.evaluate.groups import baseline_lists
from vitrine_export.evaluate.temporal import TemporalSplit, split_by_time
from vitrine_export.targets import target_types

DAY = 86_400


def write(path: Path, rows: list[tuple[str, str, str, float]]) -> Dataset:
    """Rows of user, item, type, days from `START` on."""
    table = pl.DataFrame(rows, schema=["user_id", "item_id", "type", "day"], orient="row").select(
        pl.int_range(pl.len()).cast(pl.String).alias("event_id"),
        "user_id",
        "item_id",
        "type",
        ((START + pl.col("day") * DAY) * 1e6).cast(pl.Int64).cast(pl.Datetime("us", "UTC")).alias("time"),
    )
    return Dataset.write(path, table, None, name="hand", source="test")


@pytest.fixture
def hand(tmp_path: Path) -> TemporalSplit:
    past = [
        ("ann", "tea", -70.0),
        ("ann", "tea", -5.0),
        ("ann", "tea", -5.0),  # the same invoice once more
        ("ann", "cup", -4.0),
        ("bob", "tea", -3.0),
        ("bob", "cup", -3.0),
        ("bob", "pot", -3.0),
        ("eve", "pot", -100.0),
        ("eve", "jam", -100.0),
    ]
    later = [("ann", "pot", 1.0), ("ann", "tea", 2.0), ("dan", "tea", 1.0), ("ann", "cup", 40.0)]
    basket = [("new", item, 3.0) for item in ("a", "b", "c", "d", "e")] + [("new", "late", 9.0)]
    rows = [(user, item, "purchase", day) for user, item, day in past + later + basket]
    rows += [("dan", "jam", "view", -1.0), ("ann", "egg", "view", 3.0)]
    return split_by_time(write(tmp_path, rows), START, END, seed=3)


def names(split: TemporalSplit, codes: np.ndarray) -> set[str]:
    return {split.codes.ids[c] for c in codes.tolist() if c >= 0}


def test_known_customers_and_their_targets(hand: TemporalSplit) -> None:
    # dan only looked before, and is known all the same; views are no targets; day 40 lies behind the window.
    assert hand.known.users == ["u:ann", "u:dan"]
    assert names(hand, hand.known.targets.of(0)) == {"pot", "tea"}
    assert names(hand, hand.known.taken.of(0)) == {"tea", "cup"}
    assert hand.known.taken.of(1).size == 0
    assert names(hand, hand.known.targets.less(hand.known.taken).of(0)) == {"pot"}


def test_a_new_customer_shows_half_of_the_first_basket(hand: TemporalSplit) -> None:
    assert (hand.new.users, hand.new_customers) == (["u:new"], 1)
    shown, wanted = names(hand, hand.new.contexts.of(0)), names(hand, hand.new.targets.of(0))
    assert (len(shown), len(wanted)) == (2, 3)
    assert shown | wanted == {"a", "b", "c", "d", "e"}


def test_halves_change_with_the_seed_and_with_nothing_else(dataset: Dataset) -> None:
    one, again, other = (split_by_time(dataset, START, END, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.new.contexts.items, again.new.contexts.items)
    assert not np.array_equal(one.new.contexts.items, other.new.contexts.items)


def test_popularity_counts_lines_of_the_last_sixty_days(hand: TemporalSplit) -> None:
    counts = RecentPopularity(hand.past, START).counts
    by_name = {hand.codes.ids[c]: counts[c] for c in np.flatnonzero(counts).tolist()}
    assert by_name == {"tea": 2, "cup": 2, "pot": 1}


def test_buy_again_goes_by_count_and_is_filled_with_what_is_popular(hand: TemporalSplit) -> None:
    lists = baseline_lists(BuyAgain(RecentPopularity(hand.past, START)), hand.known, hand.codes, 4, None)
    ranked = [hand.codes.ids[c] for c in lists.items[0].tolist() if c >= 0]
    assert ranked == ["tea", "cup", "pot"]  # twice, once, never but popular; jam is not popular lately
    np.testing.assert_allclose(lists.scores[0, :3], [2 + 2 / 3, 1 + 2 / 3, 1 / 3], rtol=1e-6)


def test_item_knn_by_hand(hand: TemporalSplit) -> None:
    scores = ItemKnn(hand.past, neighbours=10, shrinkage=0).scores(hand.known)
    by_name = {hand.codes.ids[c]: scores[0, c] for c in range(len(hand.codes))}
    # ann has tea, cup (weight 1/2); bob tea, cup, pot (1/3); eve pot, jam (1/2).
    tea = cup = 1 / 2 + 1 / 3
    pot = 1 / 3 + 1 / 2
    assert by_name["pot"] == pytest.approx(2 * (1 / 3) / np.sqrt(tea * pot))
    assert by_name["tea"] == pytest.approx((1 / 2 + 1 / 3) / np.sqrt(tea * cup))
    assert by_name["jam"] == 0
    assert ItemKnn(hand.past, neighbours=10, shrinkage=5).scores(hand.known).max() < scores.max()


def test_nobody_gets_what_is_forbidden(split: TemporalSplit) -> None:
    lists = baseline_lists(ItemKnn(split.past), split.known, split.codes, 20, split.known.taken)
    for query in range(len(split.known)):
        assert not np.isin(lists.items[query], split.known.taken.of(query)).any()


def test_without_purchases_interest_is_the_target(tmp_path: Path) -> None:
    dataset = write(
        tmp_path, [("a", "x", "view", -1.0), ("a", "y", "click", 1.0), ("a", "z", "impression", 1.0)]
    )
    assert "view" in target_types(dataset)
    split = split_by_time(dataset, START, END, 0)
    assert names(split, split.known.targets.of(0)) == {"y"}


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (END, START, "not after --from"),
        (datetime(2020, 1, 1, tzinfo=UTC).timestamp(), END, "nothing was taken before --from"),
        (
            datetime(2030, 1, 1, tzinfo=UTC).timestamp(),
            datetime(2031, 1, 1, tzinfo=UTC).timestamp(),
            "between",
        ),
    ],
)
def test_an_empty_side_is_named(dataset: Dataset, start: float, end: float, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        split_by_time(dataset, start, end, 0)
