"""What is held out of the training data to choose by."""

import numpy as np
import pytest

from vitrine_export.train import tune
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.linear import fit_linear
from vitrine_export.train.parameters import Parameters
from vitrine_export.train.stages import Stages
from vitrine_export.train.tune import measure
from vitrine_export.train.validate import Holdout, hold_out

N, S = 30, 200


def events(*, ordered: bool) -> Interactions:
    """Shoppers of two groups, each with a group's items, and a few with one or two items."""
    rng = np.random.default_rng(0)
    rows = []
    for who in range(S):
        size = int(rng.integers(1, 3)) if who % 10 == 0 else int(rng.integers(5, 12))
        rows += [(who, int(i) + 15 * (who % 2)) for i in rng.choice(15, size, replace=False)]
    # An event again: it belongs to the same pair.
    rows += rows[:50]
    subjects, items = np.array(rows, np.int32).T
    return Interactions(
        subjects, items, np.ones(len(rows)), None, S, N, np.full(len(rows), 6, np.int8), ordered
    )


def pairs(interactions: Interactions) -> set[tuple[int, int]]:
    return set(zip(interactions.subjects.tolist(), interactions.items.tolist(), strict=True))


def held(ordered: bool, seed: int = 0) -> tuple[Interactions, Holdout]:
    whole = events(ordered=ordered)
    holdout = hold_out(whole, Parameters(), seed)
    assert holdout is not None
    return whole, holdout


def test_without_order_a_fifth_of_each_shoppers_items_is_held_out() -> None:
    whole, holdout = held(ordered=False)
    before, everything = pairs(holdout.before), pairs(whole)
    sizes = np.bincount([who for who, _ in everything], minlength=S)
    left = np.bincount([who for who, _ in before], minlength=S)
    asked = sizes >= 3
    assert (left[~asked] == sizes[~asked]).all()
    np.testing.assert_array_equal((sizes - left)[asked], np.ceil(sizes[asked] / 5))
    assert len(holdout.targets) == asked.sum()
    assert sum(map(len, holdout.targets)) == len(everything) - len(before)
    assert "fifth" in holdout.label


def test_a_seed_decides_which_items_are_held_out() -> None:
    (_, one), (_, same), (_, other) = held(False, 0), held(False, 0), held(False, 1)
    assert pairs(one.before) == pairs(same.before) != pairs(other.before)


def test_with_order_the_last_item_is_held_out() -> None:
    whole, holdout = held(ordered=True)
    assert holdout.label == "last item of each shopper"
    assert {len(targets) for targets in holdout.targets} == {1}
    last = dict(zip(whole.subjects.tolist(), whole.items.tolist(), strict=True))
    assert {int(targets[0]) for targets in holdout.targets} <= set(last.values())


@pytest.mark.parametrize(("most", "asked"), [(5, 3), (1000, 3)])
def test_the_ridge_is_chosen_for_both_linear_models(
    most: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def fitted(*args: object) -> object:
        tried.append(args[3])
        return fit_linear(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(tune, "fit_linear", fitted)
    _, holdout = held(ordered=False)
    metrics: dict[str, float] = {}
    chosen = measure(holdout, Parameters(max_ease_items=most), 0, 10.0, metrics, Stages(lambda *_: None))
    assert len(tried) == asked
    assert chosen in tried
    # Half of the items are the other group's.
    assert metrics["recall@20_linear"] > 0.9
    monkeypatch.setattr(tune, "_MAX_TUNED_ITEMS", 3)
    monkeypatch.setattr(tune, "_MAX_TUNED_LOCALLY", 3)
    tried.clear()
    assert measure(holdout, Parameters(max_ease_items=most), 0, 7.0, {}, Stages(lambda *_: None)) == 7.0
    assert tried == [7.0]
