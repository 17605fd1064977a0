"""The nearest content vectors, against a plain sort of all products."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vitrine.retrieval.nearest import nearest
from vitrine.retrieval.sources.base import ranked

N, LIMIT = 20_000, 50


@pytest.mark.parametrize("case", ["all", "most", "a third", "few", "the best are out", "equal", "none"])
def test_nearest_is_a_sort_of_all_products(case: str) -> None:
    rng = np.random.default_rng(7)
    # Of few bits: products are exact, in whatever order they are summed up.
    vectors = rng.integers(-32, 33, (N, 8)).astype(np.float32) / np.float32(64)
    if case == "equal":
        vectors = vectors[rng.integers(0, 20, N)]
    products = vectors @ vectors[3]
    allowed = rng.random(N) < {"most": 0.95, "a third": 0.3, "few": 0.01, "none": 0.0}.get(case, 1.0)
    if case == "the best are out":
        # The bound that a sample tells lies above everything allowed.
        allowed = products < np.sort(products)[-N // 10]
    tie = rng.permutation(N).astype(np.uint64)
    query: Any = SimpleNamespace(allowed=allowed, columns=SimpleNamespace(tie=tie))

    found = ranked(*nearest(vectors, vectors[3], query, LIMIT), query, LIMIT)

    order = np.lexsort((tie, -products))
    expected = order[allowed[order]][:LIMIT]
    np.testing.assert_array_equal(found.rows, expected)
    np.testing.assert_array_equal(found.scores, products[expected])


@pytest.mark.parametrize("share", [1.0, 0.9, 0.01, 0.0])
@pytest.mark.parametrize("positive", [1.0, 0.5, 0.001])
def test_the_best_of_a_source_are_a_sort_of_what_is_allowed(share: float, positive: float) -> None:
    rng = np.random.default_rng(8)
    rows = rng.permutation(N).astype(np.int32)[: N // 2]
    rows[rng.random(len(rows)) < 0.1] = -1
    scores = np.where(rng.random(len(rows)) < positive, rng.random(len(rows)), 0.0)
    allowed, tie = rng.random(N) < share, rng.permutation(N).astype(np.uint64)
    allowed = allowed[: N - 100]
    query: Any = SimpleNamespace(allowed=allowed, columns=SimpleNamespace(tie=tie))

    found = ranked(rows, scores, query, LIMIT)

    kept = np.flatnonzero((scores > 0) & (rows >= 0) & (rows < len(allowed)))
    kept = kept[allowed[rows[kept]]]
    expected = kept[np.argsort(-scores[kept], kind="stable")][:LIMIT]
    np.testing.assert_array_equal(found.rows, rows[expected])
    np.testing.assert_array_equal(found.scores, scores[expected].astype(np.float32))
