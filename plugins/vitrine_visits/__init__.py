"""Ranker `visits`: what the past visits hold that are most like the one that goes on (session kNN).

How like they are, and what a visit says for an item, stands at `vitrine.bundle.Visits`. A new event makes other
visits the nearest; nothing is trained again.
"""

from vitrine.bundle import Visits
from vitrine.by_query import from_latest, scored
from vitrine.domain.answer import ReasonCode
from vitrine.domain.fading import VISITS_KEEP
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl

VITRINE_CONTRACT = 1

_LATEST = from_latest(VISITS_KEEP, visit=True)


class NearestVisits:
    """Scores candidates by the bundle's past visits; NaN for items newer than the bundle."""

    name = "visits"
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.TASTE
    budget_ms = 50.0
    # NaN: nothing to say.
    partial = True

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``."""
        return scored(batch, _LATEST, self._visits.scores_at)


@hookimpl
def vitrine_make_ranker(load: LoadContext) -> NearestVisits:
    """Makes the ranker from the bundle's past visits."""
    if load.bundle is None or load.bundle.bundle.visits is None:
        raise MissingData("the bundle has no past visits; the events it was trained on have no order")
    return NearestVisits(load.bundle.bundle.visits)
