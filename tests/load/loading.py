"""Loads a server that runs, reads and new events together, and tells what it used meanwhile."""

import time
from dataclasses import dataclass

from tests.load.cpu import busy_seconds, children_seconds, cpu_seconds, pinned
from tests.load.ghz import EVENTS, Load, Running
from tests.load.messages import rotate
from tests.load.metrics import samples
from tests.load.rows.base import World
from tests.load.run import ACHIEVED, ERRORS, Run
from tests.load.traffic import Traffic
from vitrine.app.process import ServerProcess

__all__ = ["ACHIEVED", "ERRORS", "READS_PER_EVENT", "Loader", "Run"]

READS_PER_EVENT = 10
# What ghz takes to begin and to end.
_SPARE_SECONDS = 60.0


class Loader:
    """Loads one server.

    Args:
        world: Cores, scratch folder, length of a run.
        server: It; ready.
        pids: The processes whose CPU time counts, with their children; the server's unless told.
    """

    def __init__(self, world: World, server: ServerProcess, pids: tuple[int, ...] = ()) -> None:
        self._world, self._server, self._pids = world, server, pids or (server.pid,)
        self.folder = world.scratch / "requests"
        self.traffic = Traffic(world.shop.data, self.folder)
        self._nonce = f"bench{time.time_ns():x}"

    def prepare(self) -> dict[str, str]:
        """Makes the requests from what the server answers, and returns what is asked, in words."""
        return self.traffic.reads(self._server.address)

    def run(
        self, method: str, *, seconds: float, rate: int = 0, callers: int = 1, events: float | None = None
    ) -> Run:
        """Runs ghz once.

        Args:
            method: As in `METHODS`.
            seconds: How long.
            rate: Calls a second in an open loop; 0 for a closed one.
            callers: Calls in flight in a closed loop.
            events: New events a second meanwhile; a tenth of ``rate`` unless told.
        """
        load = Load(
            config=method,
            address=self._server.address,
            messages=self.folder / f"{method}.bin",
            seconds=seconds,
            rate=rate,
            callers=callers,
        )
        writes = self._writes(rate / READS_PER_EVENT if events is None else events, seconds)
        before = self._scrape()
        used, busy, generator = cpu_seconds(*self._pids), busy_seconds(), children_seconds()
        began = time.monotonic()
        with pinned(self._world.generator_cores):
            beside = Running(writes, self._world.scratch / "events.json") if writes else None
            try:
                output = Running(load, self._world.scratch / f"{method}.json").wait(seconds + _SPARE_SECONDS)
                written = beside.wait(_SPARE_SECONDS) if beside else None
            finally:
                if beside:
                    beside.stop()
        took = time.monotonic() - began
        generator, used = children_seconds() - generator, cpu_seconds(*self._pids) - used
        others = busy_seconds() - busy - used - generator
        now = self._scrape()
        run = Run.of(
            load,
            output,
            written,
            used=used,
            stages={name: seconds - before.stages.get(name, 0.0) for name, seconds in now.stages.items()},
            lacked={part: n - before.lacked.get(part, 0.0) for part, n in now.lacked.items()},
            generator=generator / took,
            others=max(0.0, others / took),
        )
        # The next run asks for the shoppers that come next, not for the first ones over and over.
        rotate(load.messages, run.calls)
        self._tell(run)
        return run

    def _writes(self, rate: float, seconds: float) -> Load | None:
        """New events, one a call, for as long as the reads."""
        count = round(rate * seconds)
        if not count:
            return None
        path = self.folder / f"{EVENTS}.bin"
        self.traffic.events(path, count, self._nonce, per_call=1)
        return Load(
            config=EVENTS,
            address=self._server.address,
            messages=path,
            rate=max(1, round(rate)),
            count=count,
        )

    def _scrape(self) -> "_Counted":
        counted = _Counted({}, {})
        for name, labels, value, *_ in samples(self._server.metrics_port):
            if name == "vitrine_stage_cpu_seconds_total":
                counted.stages[labels["stage"]] = value
            elif name == "vitrine_plugin_calls_total" and labels["outcome"] != "ok":
                # `Rank` tells only the caller that a ranker was left out; this counts it for `Recommend`, too.
                counted.lacked["{component} {outcome}".format(**labels)] = value
            elif name == "vitrine_degraded_total" and "ranker:" not in labels["component"]:
                counted.lacked["{component} degraded ({code})".format(**labels)] = value
        return counted

    def _tell(self, run: Run) -> None:
        asked = f"{run.rate}/s" if run.rate else "closed loop"
        self._world.say(
            f"{run.method:>10} {asked:>11}: {run.achieved:7.1f}/s   p50 {run.p50 or 0:7.2f} ms   "
            f"p99 {run.p99 or 0:7.2f} ms   {run.errors} errors   {run.cpu:.2f} ms of CPU a call"
            + "".join(f"; {count} × {what}" for what, count in run.wrong.items())
        )


@dataclass(frozen=True)
class _Counted:
    """What the server counted so far: CPU seconds by stage, and parts that answers lacked."""

    stages: dict[str, float]
    lacked: dict[str, float]
