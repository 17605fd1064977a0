"""The trace of a list: rank after each step, by the engine's own arithmetic."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from vitrine.config import SceneConfig
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.domain.trace import Trace
from vitrine.hosting import RankerFacts
from vitrine.ranking.blend import normalise, order, spread
from vitrine.ranking.ordering import Ordering
from vitrine.ranking.trace import changed_positions, changes, trace
from vitrine.wire.trace import trace_from_proto, trace_to_proto

Matrix = npt.NDArray[np.float32]


def _scene(weights: dict[str, float], reranker: str = "") -> SceneConfig:
    return SceneConfig.model_validate({"sources": {"popular": 10}, "weights": weights, "reranker": reranker})


def _ordering(
    scene: SceneConfig,
    columns: dict[str, list[float]],
    *,
    kept: list[int] | None = None,
    ranked: list[int] | None = None,
    window: list[int] | None = None,
) -> Ordering:
    """As the engine makes one; ``ranked`` and ``window`` instead of what caps and diversity would do."""
    names = tuple(columns)
    own = np.array(list(columns.values()), np.float32).T
    weights = np.array([scene.weights.get(name, 0.0) for name in names], np.float32)
    decided, total = None, (normalise(own) * weights).sum(axis=1, dtype=np.float32)
    if scene.reranker in names:
        decided, total = RankerFacts("last", "1", None, 1.0), spread(own[:, names.index(scene.reranker)])
    elif not total.any():
        total = np.linspace(1, 0, len(own), endpoint=False, dtype=np.float32)
    left = np.arange(len(own)) if kept is None else np.array(kept, np.int64)
    by_score = left[order(total[left], _ties(len(own))[left])] if ranked is None else np.array(ranked)
    shown = by_score if window is None else np.array(window)
    return Ordering(0, names, own, weights, decided, total, left, by_score, shown, shown, total[shown])


def _ties(n: int) -> npt.NDArray[np.uint64]:
    return np.arange(n, dtype=np.uint64)


def _ranks(told: Trace, step: str) -> list[int]:
    return [int(rank) for rank in told.ranks[told.names.index(step)]]


def test_every_step_tells_the_rank_of_each_item_of_the_window() -> None:
    scene = _scene({"source:popular": 1.0, "up": 2.0, "down": 1.0}, "last")
    made = _ordering(
        scene,
        {
            "up": [0, 0, 0, 4],
            "down": [0, 9, 0, 0],
            "last": [5, 1, 7, 3],
            "source:popular": [4, 3, 2, 1],
        },
        kept=[0, 1, 3],
        ranked=[0, 3, 1],
        window=[0, 1],
    )
    seconds = {
        "features:season": 0.1,
        "ranker:up": 0.25,
        "ranker:foreign": 0.125,
        "ranker:down": 0.5,
        "ranker:last": 1.0,
    }
    told = trace(made, scene, _ties(4), seconds, [])
    assert told.names == (
        "sources",
        "features:season",
        "ranker:up",
        "ranker:down",
        "reranker:last",
        "rules",
        "caps",
        "diversity",
        "newcomers",
    )
    # The window is items 0 and 1.
    assert _ranks(told, "sources") == [1, 2]
    assert _ranks(told, "features:season") == [1, 2]
    assert _ranks(told, "ranker:up") == [2, 3]
    assert _ranks(told, "ranker:down") == [3, 2]
    assert _ranks(told, "reranker:last") == [2, 4]
    assert _ranks(told, "rules") == [1, 3]
    assert _ranks(told, "caps") == [1, 3]
    assert _ranks(told, "diversity") == [1, 2]
    np.testing.assert_array_equal(told.seconds, [math.nan, 0.1, 0.25, 0.5, 1.0, *[math.nan] * 4])
    assert set(told.left_out) == {None}


def test_a_ranker_that_is_left_out_changes_nothing_and_says_why() -> None:
    scene = _scene({"source:popular": 1.0, "late": 5.0}, "last")
    made = _ordering(scene, {"source:popular": [1, 2, 3]})
    lacking = [
        Degradation("ranker:late", DegradationCode.TIMEOUT, "late"),
        Degradation("ranker:last", DegradationCode.OFF, "off"),
    ]
    told = trace(made, scene, _ties(3), {"ranker:late": 0.1, "ranker:last": 0.0}, lacking)
    np.testing.assert_array_equal(told.seconds, [math.nan, 0.1, *[math.nan] * 5])
    assert told.names[:3] == ("sources", "ranker:late", "reranker:last")
    assert told.left_out == (None, DegradationCode.TIMEOUT, DegradationCode.OFF, *[None] * 4)
    assert (told.ranks == told.ranks[0]).all()


def test_without_a_say_of_any_source_the_order_is_as_found() -> None:
    scene = _scene({"one": 1.0})
    made = _ordering(scene, {"one": [1, 2, 3], "source:popular": [1, 2, 3]})
    told = trace(made, scene, _ties(3)[::-1].copy(), {"ranker:one": 0.1}, [])
    assert made.positions.tolist() == [2, 1, 0]
    assert _ranks(told, "sources") == [3, 2, 1]
    assert _ranks(told, "ranker:one") == [1, 2, 3]


@pytest.mark.parametrize("seed", range(20))
def test_the_last_blend_is_the_engines_order_to_the_last_tie(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = ["a", "b", "c", "d", "source:popular", "source:new"]
    scene = _scene({name: float(rng.integers(1, 9)) / 7 for name in names})
    # Few different scores, so that sums are nearly equal over and over.
    columns = {
        name: np.where(rng.random(300) < 0.2, np.nan, rng.integers(1, 5, 300) / 3).tolist() for name in names
    }
    made = _ordering(scene, columns)
    told = trace(made, scene, _ties(300), {f"ranker:{name}": 0.1 for name in "cabd"}, [])
    assert _ranks(told, "ranker:d") == list(range(1, 301))
    assert _ranks(told, "rules") == list(range(1, 301))
    for row in told.ranks:
        assert sorted(row.tolist()) == list(range(1, 301))


def test_a_query_without_candidates_has_a_trace_without_items() -> None:
    scene = _scene({"one": 1.0})
    made = _ordering(scene, {"one": [], "source:popular": []})
    told = trace(made, scene, _ties(0), {"ranker:one": 0.1}, [])
    assert told.ranks.shape == (6, 0)


@pytest.mark.parametrize(
    ("before", "after", "k", "changed"),
    [
        ([1, 2, 3], [1, 2, 3], 3, 0),
        ([1, 2, 3], [1, 3, 2], 3, 2),
        ([1, 2, 3], [1, 3, 2], 1, 0),
        ([1, 2, 3], [2, 3, 1], 10, 3),
        ([1, 2, 3], [1, 2], 3, 1),
        ([], [1, 2], 1, 1),
        ([], [], 5, 0),
    ],
)
def test_changed_positions_are_counted(before: list[int], after: list[int], k: int, changed: int) -> None:
    assert changed_positions(np.array(before, np.int64), np.array(after, np.int64), k) == changed


def test_what_rankers_changed_is_counted_among_items_that_may_be_shown() -> None:
    scene = _scene({"source:popular": 1.0, "up": 2.0, "idle": 1.0, "absent": 1.0}, "last")
    columns = {
        "up": [0, 0, 0, 4.0],
        "idle": [1.0, 1.0, 1.0, 1.0],
        "last": [3.0, 1.0, 2.0, 4.0],
        "source:popular": [4, 3, 2, 1.0],
    }
    ran = ["features:season", "ranker:up", "ranker:idle", "ranker:absent", "ranker:last"]
    made = _ordering(scene, columns)
    assert changes(made, scene, _ties(4), ran, 2) == {"up": 2, "idle": 0, "last": 0}
    # Item 3, all that `up` is about, may not be shown; of 0, 1, 2 the reranker turns round the last two.
    made = _ordering(scene, columns, kept=[0, 1, 2])
    assert changes(made, scene, _ties(4), ran, 3) == {"up": 0, "idle": 0, "last": 2}


def test_a_trace_is_the_same_behind_the_wire() -> None:
    told = Trace(
        names=("sources", "ranker:a", "rules"),
        seconds=np.array([math.nan, 0.001234, math.nan]),
        ranks=np.array([[3, 1], [1, 2], [1, 0]], np.int64),
        left_out=(None, DegradationCode.FAILED, None),
    )
    message = trace_to_proto(told)
    assert not message.steps[0].HasField("duration")
    back = trace_from_proto(message)
    assert (back.names, back.left_out) == (told.names, told.left_out)
    np.testing.assert_array_equal(back.seconds, told.seconds)
    np.testing.assert_array_equal(back.ranks, told.ranks)
    assert trace_from_proto(trace_to_proto(back)).names == told.names
