"""Everything that is made from one bundle and one configuration, and which of it is served now."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from vitrine.bundle import AttachedBundle
from vitrine.config import Config
from vitrine.ranking import RankingEngine
from vitrine.retrieval import Retriever

T = TypeVar("T")

# How long a bundle that was replaced can still be asked for: longer than any request, and than it takes to reload the
# other services of a split shop by hand.
KEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Generation:
    """What is made from a bundle and a configuration. Requests hold on to theirs; with the last one its arrays are freed.

    Attributes:
        version: Version of the bundle; empty without one.
        config: The configuration.
        attached: The bundle seen through the catalogue; ``None`` without one.
        retriever: Finds candidates; ``None`` in a process that does not.
        engine: Orders them; likewise.
        since: Since when that bundle is served, Unix seconds.
        failing: Sources and rankers that failed in its warm-up.
    """

    version: str
    config: Config
    attached: AttachedBundle | None
    retriever: Retriever | None
    engine: RankingEngine | None
    since: float
    failing: frozenset[str] = frozenset()

    @property
    def models(self) -> tuple[Retriever, RankingEngine]:
        """Retriever and engine, in a process that makes both."""
        return _made(self.retriever), _made(self.engine)

    def close(self, *beside: "Generation | None") -> None:
        """Stops following the catalogue, and ends plugins' processes; requests on their way are answered all the same.

        Args:
            beside: Generations that go on, of the same bundle perhaps.
        """
        if self.attached is not None and all(
            one is None or one.attached is not self.attached for one in beside
        ):
            self.attached.close()
        if self.engine is not None:
            self.engine.close()


class Generations:
    """The generation that is served, and for a while the one before it. Readers never wait; one thread switches.

    Args:
        first: What is served from the start.
        keep: Seconds that the one before can still be picked.
        monotonic: A clock for that.
    """

    def __init__(
        self, first: Generation, keep: float = KEEP_SECONDS, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        # Both in one tuple, so that one assignment switches and one look sees what belongs together.
        self._served: tuple[Generation, Generation | None] = (first, None)
        self._keep = keep
        self._monotonic = monotonic
        self._until = 0.0

    @property
    def current(self) -> Generation:
        """What is served now."""
        return self._served[0]

    @property
    def previous(self) -> Generation | None:
        """What was served before, as long as it is kept."""
        return self._served[1]

    def pick(self, version: str) -> Generation:
        """The generation of a version if it is there; else, and for "", the current one."""
        current, previous = self._served
        if previous is not None and version == previous.version and version != current.version:
            return previous
        return current

    def retriever(self, version: str) -> Retriever:
        """The retriever to use for a wanted version, as `pick` has it."""
        return _made(self.pick(version).retriever)

    def engine(self, version: str) -> RankingEngine:
        """The engine to use, likewise."""
        return _made(self.pick(version).engine)

    def both(self, version: str) -> tuple[Retriever, RankingEngine]:
        """Retriever and engine of the same generation."""
        return self.pick(version).models

    def switch(self, new: Generation) -> None:
        """Serves another generation. At most one is kept beside it: the one before the last is closed."""
        current, older = self._served
        self._served = (new, current)
        self._until = self._monotonic() + self._keep
        if older is not None:
            older.close(new, current)

    def expire(self) -> bool:
        """Closes the one before when its time is over, and answers whether it was; call it every few seconds."""
        current, previous = self._served
        if previous is None or self._monotonic() < self._until:
            return False
        self._served = (current, None)
        previous.close(current)
        return True

    def close(self) -> None:
        """Closes all."""
        for generation in self._served:
            if generation is not None:
                generation.close()


def _made(part: T | None) -> T:
    if part is None:
        raise LookupError("this process makes no such part")
    return part
