"""What the nearest past visits say."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vitrine.bundle import Visits
from vitrine.bundle import visits as module

N = 60


@pytest.fixture(scope="module")
def lists() -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [rng.choice(N - 10, int(rng.integers(2, 9)), replace=False).astype(np.int32) for _ in range(300)]


@pytest.fixture(scope="module")
def visits(lists: list[np.ndarray]) -> Visits:
    indptr = np.concatenate(([0], np.cumsum([len(one) for one in lists])))
    return Visits(indptr, np.concatenate(lists), N)


ROWS, WEIGHTS = np.array([3, -1, 41, 17, N - 1], np.int32), np.array([0.5, 9.0, 0.25, 1.0, 0.7])


def expected(lists: list[np.ndarray], rows: np.ndarray, weights: np.ndarray, most: int) -> np.ndarray:
    """The definition, visit by visit."""
    counts = np.bincount(np.concatenate(lists), minlength=N)
    said = []
    for number, own in enumerate(lists):
        shared = [(w, r) for r, w in zip(rows.tolist(), weights.tolist(), strict=True) if r >= 0 and r in own]
        if shared:
            likeness = sum(w * np.log1p(len(lists) / (counts[r] + 1.0)) for w, r in shared)
            likeness /= np.sqrt(len(own) + 2)
            meets = own.tolist().index(max(shared)[1])
            said.append(
                (
                    likeness * (1 + 1e-6 * number / len(lists)),
                    own,
                    likeness * np.exp(-np.abs(np.arange(len(own)) - meets) / 3),
                )
            )
    scores = np.zeros(N)
    for _, own, values in sorted(said, key=lambda one: -one[0])[:most]:
        scores[own] += values
    return scores


@pytest.mark.parametrize("most", [500, 7])
def test_the_nearest_visits_speak_for_their_items(
    visits: Visits, lists: list[np.ndarray], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEIGHBOURS", most)
    wanted = expected(lists, ROWS, WEIGHTS, most)
    assert 0 < np.count_nonzero(wanted) < N
    for _ in range(2):  # the second call finds the scratch space clean
        rows, scores = visits.neighbours(ROWS, WEIGHTS)
        assert len(np.unique(rows)) == len(rows)
        np.testing.assert_array_equal(np.sort(rows), np.flatnonzero(wanted))
        np.testing.assert_allclose(scores, wanted[rows], rtol=1e-5)
        candidates = np.array([5, -1, 3, 5, N - 1, 17], np.int32)
        found = visits.scores_at(ROWS, WEIGHTS, candidates)
        np.testing.assert_allclose(found, np.where(candidates < 0, 0, wanted[candidates]), rtol=1e-5)


def test_of_an_item_that_many_visits_share_the_latest_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    items = np.stack([np.zeros(20), np.arange(1, 21)], axis=1).astype(np.int32)
    visits = Visits(np.arange(21) * 2, items.ravel(), 21)
    monkeypatch.setattr(module, "_MOST_VISITS", 5)
    rows, _ = visits.neighbours(np.array([0], np.int32), np.ones(1))
    assert sorted(rows.tolist()) == [0, 16, 17, 18, 19, 20]


def test_an_empty_or_unknown_visit_says_nothing(visits: Visits) -> None:
    for rows in (np.empty(0, np.int32), np.array([-1, N - 1], np.int32)):
        found, scores = visits.neighbours(rows, np.ones(len(rows)))
        assert found.size == scores.size == 0
        assert not visits.scores_at(rows, np.ones(len(rows)), np.array([1, 2], np.int32)).any()
    nothing = Visits(np.zeros(1, np.int64), np.empty(0, np.int32), 3)
    assert nothing.neighbours(np.array([1], np.int32), np.ones(1))[0].size == 0


def test_threads_do_not_disturb_each_other(visits: Visits, lists: list[np.ndarray]) -> None:
    asked = [one[::-1][:4].copy() for one in lists[:100]]
    wanted = [expected(lists, rows, 0.7 ** np.arange(len(rows)), 500) for rows in asked]

    def ask(i: int) -> bool:
        weights: np.ndarray = 0.7 ** np.arange(len(asked[i]))
        rows, scores = visits.neighbours(asked[i], weights)
        return np.allclose(scores, wanted[i][rows], rtol=1e-5)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, list(range(100)) * 3))
