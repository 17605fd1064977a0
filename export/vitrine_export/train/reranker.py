"""Fits the LightGBM reranker on lists that the serving code made."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.bundle import ModelFile
from vitrine.domain.ids import tie_keys
from vitrine.progress import Progress, quiet
from vitrine_export.train.list_metrics import K, ndcg
from vitrine_export.train.parameters import DEFAULTS, RerankerSettings
from vitrine_export.train.ranking_data import RankingData
from vitrine_export.train.starting import share_weights, starting_trees

_FIXED: dict[str, Any] = {
    "metric": "ndcg",
    "eval_at": [K],
    # Pairs count whose better item stands among the first ones: about twice what a window shows.
    "lambdarank_truncation_level": 2 * K,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
# Where too few shoppers are there to hold any out: as many as hardly learn by heart.
_BLIND_ROUNDS = 50
# It decides the order alone: what fewer lists tell is worse than the weights of the scene.
MIN_LISTS = 50
# So many trees in a sixth of those allowed without a better list, and no more are tried.
_PATIENCE_SHARE = 6
# Bounds of the rows that a leaf holds at least.
_LEAST_LEAF, _MOST_LEAF = 20, 400
_HELD_OUT = 0.2
# How often a list is shown without one of its components, so that a missing ranker is nothing new.
_DROPPED = 0.2
_GOLDEN_ROWS = 256
# Trees of some shoppers, with LightGBM's NDCG@20 on the others by number of trees.
HeldOutTrees = tuple[Any, list[float]]
# Up to so many rows one thread is enough: several wait for each other, which a busy machine makes long.
_ONE_THREAD_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class FittedReranker:
    """The trained trees.

    Attributes:
        model: For the bundle.
        rounds: How many trees.
        curve: NDCG@20 on held-out shoppers after each round, until it stopped.
        ndcg: NDCG@20 on whole lists of the shoppers that were held out, of the reranker and, by name, of each ranker
            that it learned from; empty when too few shoppers were there to hold any out.
        importance: Share of the gain by feature column, the largest first.
        lists: Lists that it learned from.
        settings: What it was fitted with.
    """

    model: ModelFile
    rounds: int
    curve: list[float]
    ndcg: dict[str, float]
    importance: dict[str, float]
    lists: int
    settings: RerankerSettings = DEFAULTS.reranker


def fit_reranker(
    data: RankingData,
    seed: int,
    *,
    settings: RerankerSettings = DEFAULTS.reranker,
    threads: int | None = None,
    begun: HeldOutTrees | None = None,
    progress: Progress = quiet,
) -> FittedReranker | None:
    """Fits LambdaMART: the number of trees on held-out shoppers, then all of it on everybody.

    Args:
        data: Lists with labels.
        seed: Decides everything random.
        settings: Settings of the trees.
        threads: How many to use; as many as pay unless told.
        begun: What `held_out_fit` answers for these lists, settings and `held_out_shoppers`, where that is there already.
        progress: Told how far it is.

    Returns:
        The reranker; ``None`` where fewer than `MIN_LISTS` have both something that was taken and something that was not.
    """
    import lightgbm

    lists = data.thinned(settings.negatives, seed)
    if len(lists) < MIN_LISTS:
        return None
    columns = with_dropped(lists, seed)
    apart = held_out_shoppers(lists.subjects, seed)
    rounds = min(_BLIND_ROUNDS, settings.rounds)
    curve: list[float] = []
    measured: dict[str, float] = {}
    if 20 <= apart.sum() < len(lists) - 20:
        booster, curve = begun or held_out_fit(
            lists, apart, settings, seed, columns=columns, threads=threads, progress=progress
        )
        rounds = int(np.argmax(curve)) + 1
        measured = _measured(booster, data, seed)
    progress("reranker: all lists", 0.6)
    start = _start(lists, columns, lists.labels, settings, seed)
    booster = lightgbm.train(
        booster_settings(settings, len(lists.labels), seed, threads),
        lightgbm.Dataset(columns, lists.labels, group=lists.sizes, feature_name=_tree_names(data.names)),
        rounds,
        init_model=start,
        callbacks=[
            lambda env: progress(
                "reranker: all lists",
                0.6 + 0.4 * (env.iteration - env.begin_iteration + 1) / rounds,
            )
        ],
    )
    gain = booster.feature_importance("gain")
    if start is not None:
        # Theirs is of another loss.
        gain = gain - booster.feature_importance("gain", iteration=start.num_trees())
    order = np.argsort(-gain, kind="stable")
    golden = np.ascontiguousarray(lists.features[:: max(1, len(lists.labels) // _GOLDEN_ROWS)][:_GOLDEN_ROWS])
    return FittedReranker(
        model=ModelFile(
            name="lightgbm",
            kind="lightgbm",
            data=booster.model_to_string().encode(),
            features=data.keys,
            golden_inputs={"features": golden},
            golden_outputs={
                "score": np.asarray(booster.predict(golden, raw_score=True, num_threads=1), np.float32)
            },
            tolerance=1e-5,
        ),
        rounds=rounds,
        curve=curve,
        ndcg=measured,
        importance={data.names[i]: float(gain[i] / max(gain.sum(), 1e-12)) for i in order.tolist()},
        lists=len(lists),
        settings=settings,
    )


def with_dropped(data: RankingData, seed: int, share: float = _DROPPED) -> npt.NDArray[np.float32]:
    """``float32[n, f]``: the features, where each list lacks each ranker, source and plugin with some probability."""
    rng = np.random.default_rng(seed)
    columns = data.features.copy()
    names = np.array([name.rpartition(".")[0] if ":" in name else "" for name in data.names])
    for component in sorted(set(names.tolist()) - {""}):
        gone = np.repeat(rng.random(len(data)) < share, data.sizes)
        columns[np.ix_(gone, names == component)] = np.nan
    return columns


def booster_settings(
    settings: RerankerSettings, rows: int, seed: int, threads: int | None = None
) -> dict[str, Any]:
    """What LightGBM is told, to fit trees to so many rows."""
    if threads is None:
        threads = 1 if rows <= _ONE_THREAD_ROWS else _cores()
    return {
        **_FIXED,
        "objective": settings.objective,
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "feature_fraction": settings.feature_share,
        "lambda_l2": settings.l2,
        "min_data_in_leaf": min(max(rows // settings.rows_a_leaf, _LEAST_LEAF), _MOST_LEAF),
        "seed": seed,
        "num_threads": threads,
    }


def held_out_fit(
    lists: RankingData,
    apart: npt.NDArray[np.bool_],
    settings: RerankerSettings,
    seed: int,
    *,
    columns: npt.NDArray[np.float32] | None = None,
    threads: int | None = None,
    progress: Progress = quiet,
) -> HeldOutTrees:
    """As many trees as do best on shoppers that were held out.

    Args:
        lists: Lists with labels.
        apart: ``bool[q]``, which of them are held out.
        settings: Settings of the trees.
        seed: Decides everything random.
        columns: Features of the lists where components are missing now and then; made unless given.
        threads: How many to use; as many as pay unless told.
        progress: Told how far it is.

    Returns:
        The trees, and LightGBM's NDCG@20 on the held-out lists by number of trees.
    """
    import lightgbm

    if columns is None:
        columns = with_dropped(lists, seed)
    rows = np.repeat(apart, lists.sizes)
    learn = lightgbm.Dataset(
        columns[~rows],
        lists.labels[~rows],
        group=lists.sizes[~apart],
        feature_name=_tree_names(lists.names),
    )
    # Measured on whole columns: that is what serving usually has.
    check = learn.create_valid(lists.features[rows], lists.labels[rows], group=lists.sizes[apart])
    seen: dict[str, dict[str, list[float]]] = {}

    def told(env: Any) -> None:
        value = env.evaluation_result_list[0][2]
        tree = env.iteration - env.begin_iteration
        progress(f"reranker: tree {tree + 1}, NDCG@{K} {value:.4f}", 0.6 * tree / settings.rounds)

    booster = lightgbm.train(
        booster_settings(settings, len(lists.labels), seed, threads),
        learn,
        settings.rounds,
        init_model=_start(lists, columns[~rows], lists.labels[~rows], settings, seed),
        valid_sets=[check],
        valid_names=["held out"],
        callbacks=[
            lightgbm.early_stopping(max(settings.rounds // _PATIENCE_SHARE, 1), verbose=False),
            lightgbm.record_evaluation(seen),
            told,
        ],
    )
    return booster, [float(value) for value in seen["held out"][f"ndcg@{K}"]]


def _start(
    lists: RankingData,
    columns: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int8],
    settings: RerankerSettings,
    seed: int,
) -> Any:
    """The trees to start from, ``None`` for none; of some candidates of the lists, where components are missing."""
    if not settings.start:
        return None
    weights = share_weights(lists.weights, lists.names)
    named = {_tree_names([name])[0]: weight for name, weight in weights.items()}
    return starting_trees(columns, labels, _tree_names(lists.names), named, seed)


def _measured(booster: Any, data: RankingData, seed: int) -> dict[str, float]:
    """NDCG@20 on whole lists of held-out shoppers: of the trees, and of each ranker that they learned from."""
    apart = data.take(np.flatnonzero(held_out_shoppers(data.subjects, seed)))
    found = {"lightgbm": ndcg(booster.predict(apart.features, num_threads=1), apart)}
    for place, name in enumerate(data.names):
        ranker = name.removeprefix("ranker:").removesuffix(".rank")
        # A ranker that the data leaves out says nothing: the order of the candidates would be measured.
        if name == f"ranker:{ranker}.rank" and not np.isnan(apart.features[:, place]).all():
            # NaN comes last.
            found[ranker] = ndcg(np.nan_to_num(-apart.features[:, place], nan=-np.inf), apart)
    return found


def held_out_shoppers(subjects: Sequence[str], seed: int) -> npt.NDArray[np.bool_]:
    """Whole shoppers, a fifth of them by a hash: their lists of all windows are on one side."""
    keys = tie_keys([f"held out\0{subject}" for subject in subjects], seed)
    return np.asarray(keys < np.uint64(int(_HELD_OUT * 2**64)))


def _cores() -> int:
    """Cores that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tree_names(names: Sequence[str]) -> list[str]:
    """LightGBM forbids colons in names."""
    return [name.replace(":", "=") for name in names]
