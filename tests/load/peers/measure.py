"""Loads one host of the function, and tells what it held and used."""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.load.cpu import busy_seconds, children_seconds, pinned
from tests.load.ghz import Load, Output, Running
from tests.load.messages import read
from tests.load.peak import confirm, search
from tests.load.peers import vegeta
from tests.load.peers.family import used_between
from tests.load.peers.hosts import Host, Kind
from tests.load.peers.talk import ROUTE, TIMEOUT_SECONDS
from tests.load.rows.base import World
from tests.load.run import Run
from vitrine.api.ranking.v1 import ranking_pb2 as pb

# In flight, where the load is a closed loop: of the warm-up, which also says where to look for the peak.
_CALLERS = 8
_IDLE_SECONDS = 2.0
# Until an answer lacks nothing.
_WHOLE_SECONDS = 40.0
_SPARE_SECONDS = 60.0
# A server that uses less of a core than this has nothing left to do; how often to look, and how long at most.
_BUSY, _LOOK_SECONDS, _SETTLED_SECONDS = 0.3, 0.5, 30.0
# A server that has begun lets its first requests pass before it makes ready what can wait.
_STARTED_SECONDS = 3.0


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one server from its start to its end.

    Attributes:
        peak: The highest rate that was held, calls a second; 0 for none.
        probes: The runs that looked for it.
        half: At half of it.
        idle: Cores that it uses when nobody calls.
        memory: MiB, shared pages counted once.
        processes: What its processes call themselves.
    """

    peak: int
    probes: list[Run]
    half: Run
    idle: float
    memory: float
    processes: list[str]


class Visitor:
    """Measures one host.

    Args:
        world: Cores, scratch folder, length of a run.
        kind: What kind it is.
        host: It; ready.
        requests: The file of them.
    """

    def __init__(self, world: World, kind: Kind, host: Host, requests: Path) -> None:
        self._world, self._kind, self._host, self._requests = world, kind, host, requests
        self._targets = world.scratch / "targets.json"
        if not kind.grpc:
            asks = (ask.SerializeToString() for ask in read(requests, pb.RankRequest, 10_000))
            vegeta.targets(self._targets, f"http://{host.address}{ROUTE}", asks)

    def visit(self, peak: int = 0) -> Visit:
        """Warms it up, looks for its peak unless that is known, and loads it with half of that."""
        self._settle(_STARTED_SECONDS)
        short = self._world.seconds / 2
        warm = self.run(seconds=short, callers=_CALLERS)
        probes: list[Run] = []
        if not peak:

            def held(rate: int) -> bool:
                probes.append(self.run(seconds=short, rate=rate))
                if not probes[-1].held:
                    self._settle()
                return probes[-1].held

            peak = confirm(held, search(held, warm.achieved))
        half = self.run(seconds=self._world.seconds, rate=max(1, peak // 2))
        before, began = self._host.family.cpu_seconds(), time.monotonic()
        time.sleep(_IDLE_SECONDS)
        used = used_between(before, self._host.family.cpu_seconds())
        return Visit(
            peak=peak,
            probes=probes,
            half=half,
            idle=used / (time.monotonic() - began),
            memory=self._host.family.memory_bytes() / 2**20,
            processes=self._host.family.names(),
        )

    def cost(self, rate: int) -> float:
        """CPU milliseconds a request at a rate, of a server without work."""
        self.run(seconds=self._world.seconds / 4, rate=rate)
        return self.run(seconds=self._world.seconds, rate=rate).cpu

    def run(self, *, seconds: float, rate: int = 0, callers: int = 0) -> Run:
        """Loads it once: at a constant rate, or by callers in a closed loop."""
        load = Load(
            config="rank",
            address=self._host.address,
            messages=self._requests,
            seconds=seconds,
            rate=rate,
            callers=callers,
        )
        before, busy, generator = self._host.family.cpu_seconds(), busy_seconds(), children_seconds()
        lacked = self._host.lacked()
        began = time.monotonic()
        # Where the server is everywhere, so is what loads it.
        with pinned(() if self._kind.everywhere else self._world.generator_cores):
            output = self._load(load)
        took = time.monotonic() - began
        generator = children_seconds() - generator
        used = used_between(before, self._host.family.cpu_seconds())
        run = Run.of(
            load,
            output,
            None,
            used=used,
            stages={},
            lacked={part: n - lacked.get(part, 0.0) for part, n in self._host.lacked().items()},
            generator=generator / took,
            others=max(0.0, (busy_seconds() - busy - used - generator) / took),
        )
        asked = f"{rate}/s" if rate else "closed loop"
        self._world.say(
            f"{self._kind.name}, {asked}: {run.achieved:.1f}/s, p50 {run.p50 or 0:.2f} ms, p99 {run.p99 or 0:.2f} ms, "
            f"{run.errors} errors, {run.cpu:.2f} ms of CPU a call, others {run.others:.2f} cores"
        )
        return run

    def _settle(self, seconds: float = _LOOK_SECONDS) -> None:
        """Waits until it has had nothing to do for so long: with what it makes ready after its start, or has queued."""
        end, before, quiet = time.monotonic() + _SETTLED_SECONDS, self._host.family.cpu_seconds(), 0.0
        while quiet < seconds and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)
            now = self._host.family.cpu_seconds()
            quiet = quiet + _LOOK_SECONDS if used_between(before, now) < _BUSY * _LOOK_SECONDS else 0.0
            before = now

    def _load(self, load: Load) -> Output:
        if self._kind.grpc:
            return Running(load, self._world.scratch / "peer.json").wait(load.seconds + _SPARE_SECONDS)
        out = self._world.scratch / "vegeta.bin"
        command = vegeta.attack(
            self._targets,
            out,
            seconds=load.seconds,
            rate=load.rate,
            callers=load.callers,
            timeout=TIMEOUT_SECONDS,
        )
        return vegeta.run(command, out, load.seconds + _SPARE_SECONDS)


def check(
    host: Host, name: str, requests: Sequence[pb.RankRequest], expected: Sequence[pb.RankResponse]
) -> None:
    """Are the answers those of the bare function, message for message?

    Raises:
        RuntimeError: One is not.
    """
    end = time.monotonic() + _WHOLE_SECONDS
    for index, (request, wanted) in enumerate(zip(requests, expected, strict=False)):
        body = request.SerializeToString()
        answer = pb.RankResponse.FromString(host.answer(body))
        while answer.degraded and time.monotonic() < end:
            # Vitrine leaves out for a while what takes too long, as anything may on a busy machine, and says so.
            time.sleep(1.0)
            answer = pb.RankResponse.FromString(host.answer(body))
        if answer != wanted:
            lacks = ", ".join(f"{part.component}: {part.message}" for part in answer.degraded)
            raise RuntimeError(
                f"{name} answers request {index} otherwise than the bare function does"
                + (f"; it lacks {lacks}" if lacks else "")
            )
