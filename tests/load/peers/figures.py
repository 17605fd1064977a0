"""What a run of `make bench-peers` found, as it is kept beside the page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Self

import msgspec

from tests.load.keeping import kept_as
from tests.load.peers.measure import Visit

KEPT = Path("docs/performance/peers.json")


class Tried(msgspec.Struct, frozen=True):
    """A rate that was tried while the peak was looked for: calls a second, and how many of them ended well."""

    rate: int
    achieved: float
    held: bool


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One server. Of several rounds, means.

    Attributes:
        name: As in the table.
        settings: How it ran.
        peak: Highest rate that was held, calls a second; 0 for none.
        p50: Milliseconds at half of that; ``None`` where no call ended well.
        p99: As p50.
        cpu: CPU milliseconds a request at half of the peak, of all its processes.
        rounds: The same of each round.
        beyond: ``cpu`` without that of the bare function.
        idle: Cores that it uses when nobody calls.
        memory: MiB.
        processes: How many it has.
        errors: Calls at half of the peak that did not end well.
        others: Cores that something else used meanwhile, at most.
        generator: Cores that what loaded it used, at most.
        tried: The search for the peak.
    """

    name: str
    settings: str
    peak: int
    p50: float | None
    p99: float | None
    cpu: float
    rounds: list[float]
    beyond: float
    idle: float
    memory: float
    processes: int
    errors: int
    others: float
    generator: float
    tried: list[Tried]

    @classmethod
    def of(cls, name: str, settings: str, visits: Sequence[Visit], bare: float) -> Self:
        """The figures of one server, whose first visit looked for the peak."""
        halves = [visit.half for visit in visits]
        cpu = sum(half.cpu * half.calls for half in halves) / max(1, sum(half.calls for half in halves))
        return cls(
            name=name,
            settings=settings,
            peak=visits[0].peak,
            p50=_mean([half.p50 for half in halves]),
            p99=_mean([half.p99 for half in halves]),
            cpu=cpu,
            rounds=[half.cpu for half in halves],
            beyond=cpu - bare,
            idle=fmean(visit.idle for visit in visits),
            memory=max(visit.memory for visit in visits),
            processes=max(len(visit.processes) for visit in visits),
            errors=sum(half.errors for half in halves),
            others=max(half.others for half in halves),
            generator=max(half.generator for half in halves),
            tried=[Tried(run.rate, run.achieved, run.held) for run in visits[0].probes],
        )


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run.

    Attributes:
        command: What made it.
        date: When, ISO 8601.
        minutes: How long it took.
        machine: Name -> value; the commit, too.
        asked: What was asked, in words.
        bare: CPU milliseconds of the function in a bare loop, each time that it was measured.
        floors: Server without work -> CPU milliseconds a request of it.
        servers: Name -> figures.
        versions: Package -> server -> version.
        notes: What a reader should know besides.
    """

    command: str
    date: str
    minutes: float
    machine: Mapping[str, str]
    asked: str
    bare: list[float]
    floors: dict[str, float]
    servers: dict[str, Figures]
    versions: dict[str, dict[str, str]]
    notes: list[str]

    @property
    def function(self) -> float:
        """CPU milliseconds of the bare function: the median."""
        return median(self.bare)


def differing(versions: Mapping[str, Mapping[str, str]], packages: Sequence[str]) -> list[str]:
    """Those packages that servers do not have in the same version; none means that all ran the very same function."""
    return [name for name in packages if len(set(versions.get(name, {}).values())) > 1]


def kept(path: Path = KEPT) -> Result | None:
    """The last run, if there was one; raises as `kept_as`."""
    return kept_as(Result, path)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
