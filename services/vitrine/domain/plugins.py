"""How the plugins of the configured scenes fare."""

from dataclasses import dataclass
from enum import IntEnum


class PluginState(IntEnum):
    """Whether a part of a plugin is called; the numbers are those of the protocol."""

    ON = 1
    OFF = 2
    TRIPPED = 3
    RESTARTING = 4
    HUNG = 5


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A ranker, or a block of feature columns.

    Attributes:
        state: Whether it is called.
        message: One sentence: why not; empty when all is well.
        version: The version that it declares; "" of feature columns, and while it is off.
        budget: Seconds that a call with up to 1,000 candidates may take; 0 while it is off.
        calls: Calls since it was made.
        failures: Those of them that failed or gave a wrong answer.
        timeouts: Those that took too long.
        hung: Threads that it keeps and nobody waits for any more.
    """

    state: PluginState
    message: str = ""
    version: str = ""
    budget: float = 0.0
    calls: int = 0
    failures: int = 0
    timeouts: int = 0
    hung: int = 0


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """One plugin.

    Attributes:
        name: Its name.
        distribution: Package and version it comes from; "" when none was found.
        isolation: "thread" or "process".
        ranker: Its ranker; ``None`` where no scene uses one.
        features: Its feature columns; ``None`` where none are wanted.
        scenes: The scenes that use its ranker.
        restarts: How often its process was started again.
    """

    name: str
    distribution: str
    isolation: str
    ranker: PartStatus | None
    features: PartStatus | None
    scenes: tuple[str, ...]
    restarts: int = 0

    @property
    def parts(self) -> dict[str, PartStatus]:
        """Its parts by component: ``ranker:NAME``, ``features:NAME``."""
        both = {f"ranker:{self.name}": self.ranker, f"features:{self.name}": self.features}
        return {component: part for component, part in both.items() if part is not None}


@dataclass(frozen=True, slots=True)
class Plugins:
    """All of them.

    Attributes:
        bundle: Version of the bundle that they were made for; "" without one.
        since: When that was, Unix seconds.
        plugins: By name.
    """

    bundle: str
    since: float
    plugins: tuple[PluginStatus, ...]
