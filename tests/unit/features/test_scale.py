"""Tables of scores are brought to one scale as their columns are one by one."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from vitrine.features.scale import median, places, shares, spread

Table = npt.NDArray[np.float32]


def plain_shares(values: Table, offsets: npt.NDArray[np.int64]) -> Table:
    out = np.full(len(values), np.nan, np.float32)
    for start, end in pairwise(offsets.tolist()):
        own = values[start:end]
        if not np.isnan(own).all():
            low = min(float(np.nanmin(own)), 0.0)
            span = float(np.nanmax(own)) - low
            out[start:end] = (own - low) / (span if span > 0 else 1.0)
    return out


def plain_places(values: Table, offsets: npt.NDArray[np.int64]) -> Table:
    out = np.full(len(values), np.nan, np.float32)
    for start, end in pairwise(offsets.tolist()):
        for place in range(start, end):
            if not np.isnan(values[place]):
                out[place] = np.log1p(np.sum(values[start:end] > values[place]))
    return out


def tables() -> list[tuple[Table, npt.NDArray[np.int64]]]:
    rng = np.random.default_rng(3)
    found = []
    for trial in range(60):
        offsets = np.concatenate(([0], np.cumsum(rng.integers(0, 12, rng.integers(1, 4)))))
        table = rng.normal(size=(rng.integers(1, 5), offsets[-1])).astype(np.float32)
        if trial % 3 == 0:
            table = np.round(table)  # equal values, and zeros of both signs
        if trial % 4 == 0:
            table = -np.abs(table)
        table[rng.random(table.shape) < 0.3] = np.nan
        found.append((table, offsets))
    return found


@pytest.mark.parametrize(("table", "offsets"), tables())
def test_a_table_is_scaled_as_its_columns(table: Table, offsets: npt.NDArray[np.int64]) -> None:
    for scale, plain in ((shares, plain_shares), (places, plain_places)):
        wanted = np.stack([plain(column, offsets) for column in table])
        np.testing.assert_array_equal(scale(table, offsets), wanted)
        np.testing.assert_array_equal(scale(table[0], offsets), wanted[0])


@pytest.mark.parametrize("n", [4096, 4097, 10_000])
def test_the_place_of_many_is_told_too(n: int) -> None:
    values = np.arange(n, dtype=np.float32)
    found = places(values, np.array([0, len(values)]))
    np.testing.assert_array_equal(found, np.log1p(values[::-1].astype(np.int64)).astype(np.float32))


def test_a_number_of_each_query_stands_at_its_candidates() -> None:
    offsets = np.array([0, 2, 2, 3])
    assert spread(np.array([1.5, 7.0, 2.0]), offsets).tolist() == [1.5, 1.5, 2.0]
    assert spread(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), offsets).tolist() == [[1, 1, 3], [4, 4, 6]]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_median_is_numpys(kind: type[np.floating]) -> None:
    rng = np.random.default_rng(0)
    for n in range(1, 40):
        values = rng.normal(size=n).astype(kind)
        assert median(values) == np.median(values)
