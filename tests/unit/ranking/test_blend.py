import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vitrine.ranking.blend import normalise, order, spread

NAN = np.nan


def test_largest_becomes_one_and_zero_stays_zero() -> None:
    scores = np.array([[0.0, -5.0, NAN], [2.0, -1.0, NAN], [4.0, -3.0, NAN]], np.float32)
    expected = [[0, 0, 0], [0.5, 1, 0], [1, 0.5, 0]]
    np.testing.assert_allclose(normalise(scores), np.array(expected, np.float32))


def test_unknown_counts_as_nothing() -> None:
    scores = np.array([[NAN], [3.0], [6.0]], np.float32)
    np.testing.assert_allclose(normalise(scores), np.array([[0], [0.5], [1]], np.float32))


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(0, 20), st.integers(0, 4)),
        elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan),
    )
)
def test_stays_between_zero_and_one_and_keeps_the_order(scores: npt.NDArray[np.float32]) -> None:
    scaled = normalise(scores)
    assert scaled.dtype == np.float32
    assert ((scaled >= 0) & (scaled <= 1 + 1e-6)).all()
    for column, result in zip(scores.T, scaled.T, strict=True):
        known = np.flatnonzero(~np.isnan(column))
        ranked = known[np.argsort(column[known], kind="stable")]
        assert (np.diff(result[ranked]) >= -1e-6).all()


@given(
    hnp.arrays(np.float32, (12, 3), elements=st.floats(width=32, allow_infinity=False)),
    st.lists(st.integers(0, 11), max_size=5),
)
def test_some_rows_are_on_the_scale_of_all(scores: npt.NDArray[np.float32], rows: list[int]) -> None:
    some = np.array(rows, np.int64)
    np.testing.assert_array_equal(normalise(scores, some), normalise(scores)[some])
    np.testing.assert_array_equal(normalise(np.asfortranarray(scores)), normalise(scores))


def test_equal_scores_are_ordered_by_hash_alone() -> None:
    scores = np.array([1.0, 2.0, 1.0, 1.0], np.float32)
    ties = np.array([30, 5, 10, 20], np.uint64)
    assert order(scores, ties).tolist() == [1, 2, 3, 0]


def test_scores_at_the_ends_of_float32_keep_their_distances() -> None:
    far = np.array([3e38, -3e38, 0.0], np.float32)
    beside = np.array([4.0, 0.0, 2.0], np.float32)
    scaled = normalise(np.column_stack([far, beside]))
    assert scaled.T.tolist() == [[1.0, 0.0, 0.5], [1.0, 0.0, 0.5]]
    assert np.allclose(spread(far), [1.0, 0.01, 0.505])


def test_an_infinite_score_counts_as_the_largest_there_is() -> None:
    endless = np.array([np.inf, 1.0, NAN, -np.inf], np.float32)
    scaled = normalise(np.column_stack([endless, endless[::-1]]))
    assert scaled.T.tolist() == [[1.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 1.0]]
    assert np.argsort(-spread(endless)).tolist() == [0, 1, 3, 2]
