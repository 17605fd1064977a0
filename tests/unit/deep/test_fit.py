"""The network learns what shoppers take, and says it of lists that it has not seen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.deep.lists import NAMES, make_lists
from vitrine.errors import InvalidInput
from vitrine.inference import OnnxModel
from vitrine_export.train.deep import DeepSettings, FittedDeep, fit_deep
from vitrine_export.train.deep.folds import TrainedDeep, folds_of, train_deep
from vitrine_export.train.deep.scoring import feeds
from vitrine_export.train.list_metrics import ndcg, owners
from vitrine_export.train.ranking_data import RankingData

QUICK = DeepSettings(hidden=(16,), epochs=6, lists=8, negatives=20, learning_rate=1e-2, device="cpu")


def trained(data: RankingData, settings: DeepSettings = QUICK, seed: int = 0) -> TrainedDeep:
    made = train_deep(data, settings, seed)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def data() -> RankingData:
    return make_lists(names=(*NAMES, "ranker:deep.share", "ranker:lightgbm.rank"), dimensions=8)


@pytest.fixture(scope="module")
def deep(data: RankingData) -> FittedDeep:
    made = fit_deep(data, QUICK, 0)
    assert made is not None
    return made


def test_what_is_exported_orders_lists_of_new_shoppers(deep: FittedDeep) -> None:
    new = make_lists(seed=1, dimensions=8)
    model = OnnxModel(deep.model.data, batchable=True)
    told = feeds(new, np.arange(len(new.labels)), owners(new), new.features)
    assert ndcg(model.run(told)["score"], new) > max(0.8, ndcg(new.features[:, 0], new) + 0.1)
    # Without any vector or feature it goes on.
    nothing = {n: np.full_like(a, np.nan if n == "features" else 0) for n, a in told.items()}
    assert np.isfinite(model.run(nothing)["score"]).all()


def test_scores_out_of_fold_are_about_as_good(data: RankingData, deep: FittedDeep) -> None:
    assert deep.scores.shape == data.labels.shape
    assert deep.metric == ndcg(deep.scores, data) > 0.75
    assert deep.lists == len(data)
    assert [len(curve.epochs) for curve in deep.curves[:2]] <= [6, 6]
    assert len(deep.curves[2].epochs) == deep.epochs


def test_its_own_columns_are_not_learned_from_but_added_for_the_reranker(
    data: RankingData, deep: FittedDeep
) -> None:
    assert deep.model.features == [f"{name}:f4:1" for name in NAMES]
    assert list(deep.model.golden_inputs) == ["features", "item", "short", "long"]
    table = deep.with_scores(data)
    assert table.names == (*NAMES, "ranker:lightgbm.rank", "ranker:deep.share", "ranker:deep.rank")
    np.testing.assert_array_equal(table.features[:, :5], data.features[:, :5])
    share, rank = table.features[:, -2].reshape(240, 30), table.features[:, -1].reshape(240, 30)
    np.testing.assert_array_equal(share.argmax(axis=1), rank.argmin(axis=1))
    assert share.max() == 1
    assert rank.min() == 0


def test_nobody_is_scored_by_a_network_that_has_seen_them() -> None:
    # One epoch: in more, their own lists would decide which is best.
    data, once = make_lists(60), replace(QUICK, epochs=1)
    changed = replace(data, labels=data.labels.copy())
    mine = np.repeat([subject == "u:0" for subject in data.subjects], data.sizes)
    changed.labels[mine] = 1 - changed.labels[mine]
    before, after = trained(data, once).scores, trained(changed, once).scores
    fold = np.repeat(folds_of(data, 2, 0), data.sizes)
    with_me = fold == fold[0]
    np.testing.assert_array_equal(before[with_me], after[with_me])
    assert (before[~with_me] != after[~with_me]).all()
    assert len({fold[i * 60] for i in range(60)}) == 2


def test_the_same_seed_gives_the_same_bits() -> None:
    data = make_lists(60)
    first, again, other = (trained(data, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.scores, again.scores)
    for name, tensor in first.network.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), again.network.state_dict()[name].numpy())
    assert not np.array_equal(first.scores, other.scores)


def test_interests_are_learned_from() -> None:
    data = make_lists(dimensions=8)
    without = replace(data, vectors=None)
    assert ndcg(trained(data).scores, data) > ndcg(trained(without).scores, data) + 0.1


def test_too_few_lists_are_told() -> None:
    assert fit_deep(make_lists(15), QUICK, 0) is None
    empty = make_lists(60)
    assert fit_deep(replace(empty, labels=np.zeros_like(empty.labels)), QUICK, 0) is None


def test_training_ends_in_time_and_tells_how_far_it_is() -> None:
    told: list[float] = []
    long = replace(QUICK, epochs=10_000, patience=10_000, time_limit=2.0)
    made = train_deep(make_lists(60), long, 0, lambda stage, share: told.append(share))
    assert made is not None
    assert [curve.stopped for curve in made.curves[:2]] == ["time", "time"]
    assert told == sorted(told)


def test_training_goes_on_from_its_checkpoints(tmp_path: Path) -> None:
    data = make_lists(60)
    whole = trained(data)

    def stop(stage: str, share: float) -> None:
        # In the middle of the second fold.
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_deep(data, QUICK, 0, stop, tmp_path)
    resumed = train_deep(data, QUICK, 0, checkpoint=tmp_path)
    assert resumed is not None
    np.testing.assert_array_equal(resumed.scores, whole.scores)
    for name, tensor in whole.network.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), resumed.network.state_dict()[name].numpy())
    with pytest.raises(InvalidInput, match="another task"):
        train_deep(replace(data, features=data.features + 1), QUICK, 0, checkpoint=tmp_path)
