"""A ranker that does what it is told, hosted as in a server, and what a leg does with it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support.batches import batch_of
from vitrine.hosting import Hosted, Leg
from vitrine.hosting.breaker import Breaker
from vitrine.plugin import Batch, Scores

# Time that no machine is too busy for; only what is meant to run out of time gets less.
PLENTY = 10.0


class Ranker:
    """Does what it is told, then scores every candidate with the number of its calls so far.

    Attributes:
        does: What it does; may be changed.
        calls: How many have begun.
    """

    def __init__(self, does: Callable[[], object] = lambda: None) -> None:
        self.does = does
        self.calls = 0

    def score(self, batch: Batch) -> Scores:
        self.calls += 1
        self.does()
        return np.full(len(batch.items.ids), self.calls, np.float32)

    def explain(self, batch: Batch, positions: Any) -> Any:
        self.calls += 1
        self.does()
        return positions


def host(target: Ranker, budget: float = PLENTY, failures: int = 3, retry: float = 60) -> Hosted:
    """The ranker as a server has it; ``budget`` and ``retry`` in seconds."""
    return Hosted("ranker:x", target, budget, Breaker(failures, retry))


def fine(answer: Any) -> str:
    """Finds nothing wrong with an answer."""
    del answer
    return ""


def score(*parts: Hosted) -> Callable[[Leg], list[Any]]:
    """What a leg does that has them score three candidates, one after the other."""
    batch = batch_of(3)
    return lambda leg: [leg.call(part, "score", batch, check=fine) for part in parts]
