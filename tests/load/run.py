"""What a run of ghz said, and what the server used meanwhile."""

from collections.abc import Mapping
from typing import Self

import msgspec

from tests.load.ghz import Load, Output

# Of what was asked for; with less, or more errors, a rate is not held.
ACHIEVED, ERRORS = 0.98, 0.001
# Calls that ghz may not begin at the two ends of a run.
_ENDS = 2


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of ghz against one method.

    Attributes:
        method: As in `METHODS`.
        rate: Calls a second asked for; 0 for one caller, or a few, in a closed loop.
        achieved: Calls a second that ended well.
        calls: Calls that ended.
        errors: Those of them that did not end well, and answers that lacked a part.
        p50: Milliseconds; as are the next two. ``None`` where no call ended well.
        p95: As p50.
        p99: As p50.
        cpu: CPU milliseconds of the server per call, new events and all.
        stages: Stage -> CPU milliseconds of it per call, where the server tells.
        generator: Cores that ghz used.
        others: Cores that neither the server nor ghz used, but something else.
        wrong: What went wrong, with how often.
    """

    method: str
    rate: int
    achieved: float
    calls: int
    errors: int
    p50: float | None
    p95: float | None
    p99: float | None
    cpu: float
    stages: dict[str, float]
    generator: float
    others: float
    wrong: dict[str, int]

    @property
    def held(self) -> bool:
        """Whether the server kept up: the definition of a peak is the highest rate at which it did."""
        if not self.calls:
            return False
        achieved = self.achieved * (self.calls + _ENDS) / self.calls
        return achieved >= ACHIEVED * self.rate and self.errors < max(1.0, ERRORS * self.calls)

    @classmethod
    def of(
        cls,
        load: Load,
        reads: Output,
        writes: Output | None,
        *,
        used: float,
        stages: Mapping[str, float],
        lacked: Mapping[str, float],
        generator: float,
        others: float,
    ) -> Self:
        """The run that ghz's outputs tell of; CPU times in seconds of the whole run."""
        calls = max(1, reads.count)
        degraded = {part: int(times) for part, times in lacked.items() if times}
        refused = writes.error_distribution if writes else {}
        return cls(
            method=load.config,
            rate=load.rate,
            achieved=reads.achieved,
            calls=reads.count,
            errors=reads.errors + (writes.errors if writes else 0) + sum(degraded.values()),
            p50=reads.milliseconds(50),
            p95=reads.milliseconds(95),
            p99=reads.milliseconds(99),
            cpu=used * 1e3 / calls,
            stages={name: seconds * 1e3 / calls for name, seconds in stages.items()},
            generator=generator,
            others=others,
            wrong={**reads.error_distribution, **refused, **degraded},
        )
