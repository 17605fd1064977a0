"""The ghz suite: each method by one caller, at its peak, at half of it, and at rates between."""

import time
from pathlib import Path

import msgspec

from tests.load.answers import verify
from tests.load.ghz import METHODS
from tests.load.loading import READS_PER_EVENT, Loader, Run
from tests.load.peak import confirm, search
from tests.load.rows.base import World
from tests.load.shop import FOLDER, Shop
from vitrine.app.process import ServerProcess

# Shares of the peak that the picture of latency by rate shows beside half of it and the peak itself.
SHARES = (0.25, 0.75, 0.9)
_CALLERS = 8
# From that length of a run on, the peak is looked for with care; below, quickly.
_THOROUGH = 5.0


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one method.

    Attributes:
        peak: The highest rate that was held, calls a second; 0 for none.
        single: By one caller.
        half: At half of the peak.
        runs: All runs at a constant rate, slowest first.
    """

    peak: int
    single: Run
    half: Run
    runs: list[Run]


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured.

    Attributes:
        asked: Method -> what was asked, in words.
        methods: Method -> figures.
    """

    asked: dict[str, str]
    methods: dict[str, Measured]


def results(shop: Shop) -> Path:
    """Where figures of a shop are kept from one part of the bench to the next."""
    return FOLDER / "results" / shop.folder.name


def prepare(world: World, server: ServerProcess) -> tuple[Loader, dict[str, str]]:
    """What loads a server, and what it will ask; the first answers are checked.

    Raises:
        RuntimeError: An answer is not what it should be.
    """
    loader = Loader(world, server)
    asked = loader.prepare()
    verify(server.address, loader.folder)
    return loader, asked


def measure(world: World, server: ServerProcess) -> Suite:
    """Measures all methods of one server."""
    loader, asked = prepare(world, server)
    return Suite(asked=asked, methods={name: method(loader, name, world.seconds) for name in METHODS})


def method(loader: Loader, name: str, seconds: float) -> Measured:
    """Measures one method; ``seconds`` is the length of the runs that count."""
    peak, highest = find_peak(loader, name, seconds)
    single = one_caller(loader, name, seconds)
    rates = [round(peak * share) for share in SHARES]
    runs = [loader.run(name, seconds=seconds * 0.6, rate=max(1, rate)) for rate in rates]
    # Longer, for its p99 is a figure: the hundredth part of some thousand calls.
    half = loader.run(name, seconds=2 * seconds, rate=max(1, round(peak / 2)))
    runs = sorted([*runs, half, *highest], key=lambda run: run.rate)
    return Measured(peak=peak, single=single, half=half, runs=runs)


def one_caller(loader: Loader, name: str, seconds: float) -> Run:
    """A run by one caller, with a new event per ten calls as everywhere."""
    warm = loader.run(name, seconds=max(0.5, seconds / 10))
    return loader.run(name, seconds=seconds / 2, events=warm.achieved / READS_PER_EVENT)


def find_peak(loader: Loader, name: str, seconds: float) -> tuple[int, list[Run]]:
    """The peak, and the longer run that confirmed it, if one did."""
    runs: list[Run] = []
    thorough = seconds >= _THOROUGH

    def held(rate: int, length: float) -> bool:
        # Twice where need be and there is time: a hiccup of the machine is no limit of the server.
        for _ in range(1 + thorough):
            runs.append(loader.run(name, seconds=length, rate=rate))
            if runs[-1].held:
                return True
            # What is left of an overload has to end before the next run begins.
            time.sleep(0.5)
        return False

    short = max(1.0, seconds * 0.4)
    warm = loader.run(name, seconds=short, callers=_CALLERS)
    found = search(lambda rate: held(rate, short), warm.achieved, near=1.05 if thorough else 1.2)
    peak = confirm(lambda rate: held(rate, seconds), found)
    return peak, runs[-1:] if peak else []
