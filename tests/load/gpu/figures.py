"""What a run of `scripts/bench-gpu` found, as it is kept for docs/performance.md."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.load.keeping import kept_as

KEPT = Path("docs/performance/gpu.json")


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How calls of a model fared.

    Attributes:
        calls: How many ended.
        errors: How many of them without an answer.
        rows_per_second: Rows of those that were answered.
        p50: Milliseconds; in an open loop since the call was due. ``None`` where none was answered.
        p99: As p50.
    """

    calls: int
    errors: int
    rows_per_second: float
    p50: float | None
    p99: float | None


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Calls at a constant rate, whether or not earlier ones have ended, and what their runs would take alone.

    Attributes:
        rate: Calls a second.
        times: How they fared.
        sizes: Rows of a run -> how many such runs formed.
        served: Milliseconds that a run took in the session, on average.
        bare: The same runs in a loop of one thread.
        ratios: Time in the session ÷ time in the loop, of each round.
        ratio: Their median.
    """

    rate: int
    times: Times
    sizes: dict[int, int]
    served: float
    bare: float
    ratios: list[float]
    ratio: float


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """One network.

    Attributes:
        bytes: Of its file.
        one_row: One caller, a row a call.
        one_request: One caller, a request a call.
        apart: Many callers whose requests share no run.
        joined: As many whose requests do.
        half: At half of the rate that ``joined`` reached.
        high: At four fifths of it: where runs are shared.
    """

    bytes: int
    one_row: Times
    one_request: Times
    apart: Times
    joined: Times
    half: Served
    high: Served


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run.

    Attributes:
        date: When, ISO 8601.
        minutes: How long it took.
        provider: What ran the networks: "cuda", or "cpu" where that was asked for.
        machine: Name -> value; versions and the commit, too.
        rows: Rows of a request.
        callers: Callers at once.
        networks: By name.
    """

    date: str
    minutes: float
    provider: str
    machine: Mapping[str, str]
    rows: int
    callers: int
    networks: dict[str, Network]


def kept(path: Path = KEPT) -> Result | None:
    """The last run, if there was one; raises as `kept_as`."""
    return kept_as(Result, path)
