"""Vectors stay with their candidates while lists are joined, taken and thinned."""

from dataclasses import replace

import numpy as np

from tests.unit.deep.lists import make_lists
from vitrine_export.train.interest_columns import CollectedInterests, InterestColumns
from vitrine_export.train.list_metrics import owners
from vitrine_export.train.ranking_data import RankingData


def vectors(data: RankingData) -> InterestColumns:
    assert data.vectors is not None
    return data.vectors


def seen(data: RankingData) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Features, item vector and short-term interest of every candidate."""
    told, n = vectors(data), len(data.labels)
    return np.hstack((data.features, told.items(np.arange(n)), told.short[owners(data)]))


def test_joined_lists_keep_the_vectors_of_their_windows() -> None:
    parts = [make_lists(5, dimensions=3, seed=seed) for seed in (0, 1)]
    joined = RankingData.joined(parts)
    np.testing.assert_array_equal(seen(joined), np.concatenate([seen(part) for part in parts]))
    assert vectors(joined).dimensions == 3
    assert (vectors(joined).rows == -1).sum() == sum((vectors(part).rows == -1).sum() for part in parts)


def test_a_window_without_a_model_leaves_all_without_vectors() -> None:
    with_model = make_lists(5, dimensions=3)
    assert RankingData.joined([with_model, replace(with_model, vectors=None)]).vectors is None
    assert RankingData.joined([make_lists(5)]).vectors is None


def test_some_of_the_lists_keep_theirs() -> None:
    data = make_lists(6, dimensions=3)
    some = data.take(np.array([7, 2]))
    rows = np.concatenate([np.arange(7 * 30, 8 * 30), np.arange(2 * 30, 3 * 30)])
    np.testing.assert_array_equal(seen(some), seen(data)[rows])


def test_thinned_lists_keep_theirs() -> None:
    data = make_lists(6, dimensions=3)
    known = {row.tobytes() for row in seen(data)}
    thin = data.thinned(5, 0)
    assert len(thin.labels) == 12 * 8
    assert all(row.tobytes() in known for row in seen(thin))


def test_without_a_model_nothing_is_collected() -> None:
    assert CollectedInterests(None).columns() is None
