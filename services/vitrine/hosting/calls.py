"""Calls the plugins of one request, and keeps what they did not give."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.hosting import checks
from vitrine.hosting.facts import RankerFacts
from vitrine.hosting.hosted import Hosted, Missing
from vitrine.hosting.leg import Leg
from vitrine.hosting.rankers import Rankers
from vitrine.plugin import Attribution, Batch, Scores

Positions = npt.NDArray[np.int64]


class Calls:
    """Calls rankers and blocks of columns on one batch.

    Args:
        rankers: What there is.
        leg: How they are called.

    Attributes:
        rankers: What there is.
        degraded: What was missing, in the order in which it was missed, without repeats.
        seconds: How long the latest call took; 0 when there was none.
    """

    def __init__(self, rankers: Rankers, leg: Leg) -> None:
        self.rankers = rankers
        self.degraded: dict[Degradation, None] = {}
        self.seconds = 0.0
        self._leg = leg

    def score(self, name: str, batch: Batch) -> Scores | None:
        """``float32[n]``, read-only."""
        hosted = self.rankers.hosted.get(name)
        if hosted is None:
            self._off(f"ranker:{name}", self.rankers.off[name])
            return None
        n = len(batch.items.ids)
        partial = self.rankers.ready[name].partial
        column = self._call(hosted, "score", batch, check=lambda a: checks.scores(a, n, partial=partial))
        if column is None:
            return None
        # Rankers that follow see it, and must not change it; it is the host's own copy.
        scores: Scores = column
        scores.flags.writeable = False
        return scores

    def columns(self, plugin: str, batch: Batch) -> Mapping[str, Scores] | None:
        """``float32[n]`` of each column that a plugin contributes, by its name there."""
        hosted = self.rankers.hosted_blocks.get(plugin)
        if hosted is None:
            self._off(f"features:{plugin}", self.rankers.blocks_off.get(plugin, "is not installed here"))
            return None
        names = [column.name for column in self.rankers.blocks[plugin].columns]
        n = len(batch.items.ids)
        found: Mapping[str, Scores] | None = self._call(
            hosted, "compute", batch, check=lambda answer: checks.block(answer, n, names)
        )
        # What it answers beside what it declares was not checked.
        return None if found is None else {name: found[name] for name in names}

    def explain(self, ranker: RankerFacts, batch: Batch, positions: Positions) -> Positions | None:
        """``int64[m]``: rows of the history that speak for m candidates; ``None`` where it cannot tell."""
        if not ranker.explains:
            return None
        check: Callable[[Any], str] = lambda answer: checks.rows(answer, len(positions))  # noqa: E731
        found: Positions | None = self._told(ranker, "explain", batch, positions, check)
        return found

    def group_shares(self, ranker: RankerFacts, batch: Batch, positions: Positions) -> Scores | None:
        """``float32[m, groups]``; ``None`` where it cannot tell."""
        if ranker.groups is None:
            return None
        groups = len(ranker.groups)
        check: Callable[[Any], str] = lambda answer: checks.shares(answer, len(positions), groups)  # noqa: E731
        found: Scores | None = self._told(ranker, "group_shares", batch, positions, check)
        return found

    def attribute(self, ranker: RankerFacts, batch: Batch, positions: Positions) -> Attribution | None:
        """What the scores of m candidates are made of; ``None`` where it cannot tell."""
        if ranker.groups is None:
            said = "the ranker cannot tell what its scores are made of"
            self.degraded[Degradation(f"ranker:{ranker.name}", DegradationCode.FAILED, said)] = None
            return None
        check: Callable[[Any], str] = lambda answer: checks.attribution(answer, len(positions))  # noqa: E731
        found: Attribution | None = self._told(ranker, "attribute", batch, positions, check)
        return found

    def _told(
        self,
        ranker: RankerFacts,
        method: str,
        batch: Batch,
        positions: Positions,
        check: Callable[[Any], str],
    ) -> Any:
        """What a ranker tells of its scores. One that was left out of this answer is not asked."""
        component = f"ranker:{ranker.name}"
        if any(part.component == component for part in self.degraded):
            return None
        return self._call(self.rankers.hosted[ranker.name], method, batch, positions, check=check)

    def _call(
        self, hosted: Hosted, method: str, batch: Batch, *arguments: Any, check: Callable[[Any], str]
    ) -> Any:
        started = time.monotonic()
        answer = self._leg.call(hosted, method, batch, *arguments, check=check)
        # Where another leg made the call, that one knows.
        self.seconds = self._leg.seconds or time.monotonic() - started
        if isinstance(answer, Missing):
            self.degraded[Degradation(hosted.component, answer.code, answer.message)] = None
            return None
        return answer

    def _off(self, component: str, why: str) -> None:
        self.seconds = 0.0
        self.degraded[Degradation(component, DegradationCode.OFF, why)] = None
