"""The loop over queries that rankers share."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tests.support.batches import batch_of
from vitrine.by_query import Start, explained, from_history, from_latest, in_history, scored
from vitrine.plugin import Batch, History, Recent, Scores


def two_queries() -> Batch:
    """Two shoppers with two candidates each; the second one's history is newer than the bundle."""
    batch = batch_of(4)
    history = History(
        offsets=np.array([0, 3, 4]),
        ids=("a", "b", "c", "d"),
        rows=np.arange(4, dtype=np.int32),
        bundle_rows=np.array([5, -1, 7, -1], np.int32),
        weights=np.array([0.5, 0.25, 0.25, 1.0]),
        purchased=np.zeros(4, np.bool_),
    )
    recent = Recent(
        offsets=np.array([0, 4, 4]),
        rows=np.full(4, -1, np.int32),
        bundle_rows=np.array([7, 5, 9, 7], np.int32),
        steps=np.array([3, 2, 1, 0], np.int32),
        visit=np.array([False, False, True, True]),
    )
    return replace(
        batch,
        offsets=np.array([0, 2, 4]),
        items=replace(batch.items, bundle_rows=np.array([3, -1, 3, 4], np.int32)),
        history=history,
        recent=recent,
        profiles=(*batch.profiles, *batch.profiles),
    )


def weight_and_row(
    rows: npt.NDArray[np.int32], weights: npt.NDArray[np.float64], candidates: npt.NDArray[np.int32]
) -> Scores:
    return (weights @ rows + candidates).astype(np.float32)


def test_an_item_newer_than_the_bundle_and_a_query_from_nothing_have_no_score() -> None:
    scores = scored(two_queries(), from_history, weight_and_row)
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores, [0.5 * 5 + 0.25 * 7 + 3, np.nan, np.nan, np.nan])


def test_a_history_starts_with_what_the_bundle_knows() -> None:
    start = from_history(two_queries(), 0)
    assert (start.rows.tolist(), start.weights.tolist(), start.places.tolist()) == (
        [5, 7],
        [0.5, 0.25],
        [0, 2],
    )


def test_the_latest_events_come_latest_first_and_each_item_once() -> None:
    start = from_latest(0.5)(two_queries(), 0)
    assert (start.rows.tolist(), start.weights.tolist(), start.places.tolist()) == (
        [7, 9, 5],
        [1, 0.5, 0.25],
        [3, 2, 1],
    )
    assert from_latest(0.5, visit=True)(two_queries(), 0).rows.tolist() == [7, 9]
    assert not len(from_latest(0.5)(two_queries(), 1).rows)


def test_an_explanation_names_places_of_the_history() -> None:
    batch = two_queries()
    assert in_history(from_latest(0.5))(batch, 0).places.tolist() == [2, -1, 0]

    def first(
        start: npt.NDArray[np.int32], _: object, candidates: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int64]:
        return np.where(candidates >= 0, 0, -1)

    positions = np.array([0, 1, 3])
    assert explained(batch, positions, in_history(from_latest(0.5)), first).tolist() == [2, -1, -1]
    assert explained(batch, positions, from_history, first).tolist() == [0, -1, -1]


def test_a_place_is_none_where_a_query_has_no_history() -> None:
    def anything(batch: Batch, query: int) -> Start:
        return Start(np.array([5], np.int32), np.ones(1), np.zeros(1, np.int64))

    batch = two_queries()
    empty = replace(batch, history=replace(batch.history, offsets=np.array([0, 0, 0])))
    assert in_history(anything)(empty, 0).places.tolist() == [-1]
