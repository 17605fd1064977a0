"""The same list for everybody."""

import numpy as np

from vitrine_export.evaluate.baselines.base import DAY, Asked, Needs, Scores
from vitrine_export.evaluate.log import Log


class Popularity:
    """How often an item was taken, ever."""

    name = "popularity"
    needs: Needs = ""

    def __init__(self, log: Log) -> None:
        self.counts: Scores = np.bincount(log.item, minlength=log.items).astype(np.float32)

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        return np.repeat(self.counts[None], queries.history.shape[0], axis=0)

    def fill(self) -> Scores:
        """``float32[n]`` in [0, 1): orders what a method that counts leaves open, and never outweighs a count."""
        return np.asarray(self.counts / (self.counts.max(initial=0.0) + 1))


class RecentPopularity(Popularity):
    """How often an item was taken in the last days.

    Args:
        log: What was taken, with times.
        now: The moment to answer for, Unix seconds.
        days: How many; 60 are about the best on Online Retail, and what its known figures are made with.
    """

    name = "recent popularity"
    needs: Needs = "times"

    def __init__(self, log: Log, now: float, days: float = 60) -> None:
        recent = now - log.time <= days * DAY
        self.counts = np.bincount(log.item[recent], minlength=log.items).astype(np.float32)
