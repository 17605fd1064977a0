"""What a search is: what is asked, when it ends, what it found."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vitrine_export.evaluate.bootstrap import Difference
from vitrine_export.tuning.quality import Bools, Floats
from vitrine_export.tuning.space import Dimension, Values


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial.

    Attributes:
        number: From 0, which is the settings of now.
        values: Its settings.
        quality: What they reached on the shoppers to choose on.
        seconds: How long it took.
    """

    number: int
    values: Values
    quality: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One search.

    Attributes:
        name: Its name; what its figures depend on is part of it.
        title: What is searched, for people.
        metric: What is measured.
        space: The settings.
        measure: Measures settings, shopper by shopper (or list by list).
        choose: ``bool[q]``, which of them trials are compared on.
        confirm: ``bool[q]``, which of them decide in the end whether the best is better than what was there before.
        again: Measures settings once more for that, where others are asked than in trials: ``confirm`` and ``users`` are
            then of those. ``None`` where trials measure them along with the rest.
        after: About how many times as long as a trial it takes to confirm.
        asked: What they are, in the plural.
        users: ``int64[q]``, whose each of them is; ``None`` where each is another's.
    """

    name: str
    title: str
    metric: str
    space: tuple[Dimension, ...]
    measure: Callable[[Values], Floats]
    choose: Bools
    confirm: Bools
    again: Callable[[Values], Floats] | None = None
    after: float = 0.0
    asked: str = "lists"
    users: npt.NDArray[np.int64] | None = None


@dataclass(slots=True)
class Limits:
    """When a search ends.

    Attributes:
        trials: After so many trials, those of earlier runs included; ``None`` for no limit.
        until: No trial begins that would probably end after this moment of ``clock``; ``None`` for no limit.
        clock: Tells the time in seconds.
        since: When it began.
    """

    trials: int | None
    until: float | None
    clock: Callable[[], float] = time.monotonic
    since: float = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.clock()

    def left(self, done: int, seconds: float) -> bool:
        """Whether there is another trial, where it and what follows on it take so many seconds."""
        if self.trials is not None and done >= self.trials:
            return False
        return self.until is None or self.clock() + seconds <= self.until

    def share(self, done: int) -> float:
        """How far it is: by whichever limit is nearer."""
        shares = [0.0]
        if self.trials:
            shares.append(done / self.trials)
        if self.until is not None:
            shares.append((self.clock() - self.since) / max(self.until - self.since, 1e-9))
        return min(max(shares), 1.0)


@dataclass(slots=True)
class Found:
    """What a search found.

    Attributes:
        tried: The trials, in their order.
        gain: How far the best is ahead of the settings of now, on shoppers that it was not chosen on.
        better: Whether that is more than noise: the whole 95 % interval lies above 0.
        stopped: Whether it was stopped by hand.
        confirmed: Whether the best was compared with the settings of now; not where that was stopped, too.
    """

    tried: list[Tried] = field(default_factory=list)
    gain: Difference | None = None
    better: bool = False
    stopped: bool = False
    confirmed: bool = False

    @property
    def best(self) -> Tried:
        """The trial that reached most; the first of equal ones."""
        return max(self.tried, key=lambda tried: (tried.quality, -tried.number))

    @property
    def values(self) -> Values:
        """What to use: the best, or the settings of now where it is not surely better."""
        return (self.best if self.better else self.tried[0]).values
