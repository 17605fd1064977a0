"""Where a shopper's items lie together."""

import numpy as np
import pytest

from vitrine.retrieval.query import toward

VECTORS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
ROWS = np.array([4, 0, 2], np.int32)


@pytest.mark.parametrize("scale", [1e-3, 1e13, 1e300])
def test_the_direction_does_not_depend_on_how_large_the_weights_are(scale: float) -> None:
    weights = np.array([3.0, 2.0, -1.0])
    found = toward(VECTORS, ROWS, scale * weights)
    assert found @ found == pytest.approx(1, abs=1e-5)
    assert found == pytest.approx(toward(VECTORS, ROWS, weights), abs=1e-5)


def test_without_items_there_is_none() -> None:
    assert not toward(VECTORS, ROWS[:0], np.empty(0)).any()
