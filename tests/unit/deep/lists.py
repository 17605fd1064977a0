"""Lists with a known taste, small enough to learn from in a second."""

import numpy as np

from vitrine_export.train.interest_columns import InterestColumns
from vitrine_export.train.ranking_data import RankingData

NAMES = ("item.popularity", "history.age_days", "ranker:cf.share", "ranker:cf.rank", "source:popular.share")


def make_lists(
    shoppers: int = 120, *, size: int = 30, dimensions: int = 0, seed: int = 0, names: tuple[str, ...] = NAMES
) -> RankingData:
    """Two lists for each shopper, who takes what is popular and not what was turned to lately, and with vectors what
    lies near the short-term interest; nobody goes by the other columns. A third of the second column is missing."""
    rng = np.random.default_rng(seed)
    q, n = 2 * shoppers, 2 * shoppers * size
    features = rng.normal(size=(n, len(names))).astype(np.float32)
    features[rng.random(n) < 1 / 3, 1] = np.nan
    want = 2 * features[:, 0] + 2 * np.abs(np.nan_to_num(features[:, 1])) + rng.gumbel(size=n) * 0.3
    vectors = None
    if dimensions:
        table = rng.normal(size=(50, dimensions)).astype(np.float32)
        short = rng.normal(size=(q, dimensions)).astype(np.float32)
        rows = rng.integers(-1, 50, n).astype(np.int32)
        vectors = InterestColumns(table, rows, short, rng.normal(size=(q, dimensions)).astype(np.float32))
        near = (vectors.items(np.arange(n)) * np.repeat(short, size, axis=0)).sum(axis=1)
        want += 3 * near / np.sqrt(dimensions)
    best = np.argsort(-want.reshape(q, size), axis=1)[:, :3]
    labels = np.zeros((q, size), np.int8)
    np.put_along_axis(labels, best, 1, axis=1)
    return RankingData(
        names,
        features,
        labels.ravel(),
        np.arange(q + 1, dtype=np.int64) * size,
        [f"u:{i // 2}" for i in range(q)],
        np.zeros(q, np.int8),
        np.zeros(q, np.int32),
        vectors,
    )
