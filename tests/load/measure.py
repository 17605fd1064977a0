"""One method after the other, in three modes, with what the server used meanwhile."""

import os
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from tests.load import ghz
from tests.load.ghz import METHODS, Load
from tests.load.report import CLOSED, OPEN, SINGLE, Run
from tests.load.traffic import FOLDER, Traffic
from vitrine.app.process import ServerProcess

RESULTS = Path(".bench/results")
_RECORD = "record_events"
# Batches of the warm-up of RecordEvents; how fast they go says how many a run needs.
_FIRST_BATCHES = 100


class Bench:
    """Loads one server.

    Args:
        server: It; ready.
        traffic: Where events come from.
        callers: Calls in flight in the closed loop.
        seconds: How long a run of the closed and the open loop takes.
        nonce: Makes the identifiers of events unlike those of other runs.
        cores: The cores for ghz; any when empty.
        say: Told how far it is.
    """

    def __init__(
        self,
        server: ServerProcess,
        traffic: Traffic,
        *,
        callers: int,
        seconds: float,
        nonce: str,
        cores: list[int],
        say: Callable[[str], None],
    ) -> None:
        self._server = server
        self._process = psutil.Process(server.pid)
        self._traffic = traffic
        self._callers = callers
        self._seconds = seconds
        self._nonce = nonce
        self._cores = cores
        self._say = say
        RESULTS.mkdir(parents=True, exist_ok=True)

    def all(self) -> list[Run]:
        """Measures every method in every mode."""
        runs = []
        for config in METHODS:
            short = max(1.0, self._seconds / 5)
            warm = self._run(config, "warm-up", seconds=short, callers=self._callers)
            single = self._run(config, SINGLE, seconds=short, callers=1, expect=warm.output.rps / 2)
            peak = self._run(
                config, CLOSED, seconds=self._seconds, callers=self._callers, expect=warm.output.rps
            )
            rate = max(1, round(peak.output.rps / 2))
            half = self._run(config, OPEN, seconds=self._seconds, rate=rate, expect=rate)
            runs += [single, peak, half]
        return runs

    def _run(
        self, config: str, mode: str, *, seconds: float, callers: int = 0, rate: int = 0, expect: float = 0
    ) -> Run:
        """Runs ghz once. ``expect``: calls a second, so that there are events for about ``seconds``."""
        messages, count = None, 0
        if config == _RECORD:
            messages = FOLDER / f"{config}.{mode}.bin"
            calls = max(1, round(seconds * expect)) if expect else _FIRST_BATCHES
            count = self._traffic.events(messages, calls, f"{self._nonce}-{mode}")
        load = Load(
            config=config,
            address=self._server.address,
            seconds=seconds,
            callers=callers,
            rate=rate,
            messages=messages,
            count=count,
        )
        degraded, used, machine = self._degraded(), self._cpu_seconds(), _busy_seconds()
        with pinned(self._cores):
            output, generator, took = ghz.run(load, RESULTS / f"{config}.{mode}.json")
        used = self._cpu_seconds() - used
        others = _busy_seconds() - machine - used - generator
        run = Run(
            mode=mode,
            load=load,
            output=output,
            server_seconds=used,
            generator=generator / took,
            others=max(0.0, others / took),
            degraded=dict(self._degraded() - degraded),
        )
        median, tail = output.milliseconds(50) or 0.0, output.milliseconds(99) or 0.0
        self._say(
            f"{METHODS[config]:>12} {mode:<8} {output.rps:9,.0f}/s   p50 {median:7.2f} ms   p99 {tail:7.2f} ms   "
            f"{output.errors} errors   {run.cpu_milliseconds or 0:.2f} ms of CPU a call"
        )
        return run

    def _cpu_seconds(self) -> float:
        """CPU time of the server and its workers so far."""
        times = [p.cpu_times() for p in (self._process, *self._process.children(recursive=True))]
        return float(sum(t.user + t.system for t in times))

    def _degraded(self) -> Counter[str]:
        """What the server counted as missing from answers so far."""
        url = f"http://127.0.0.1:{self._server.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
        return Counter(
            {
                f"{sample.labels['component']} ({sample.labels['code']})": int(sample.value)
                for family in text_string_to_metric_families(text)
                for sample in family.samples
                if sample.name == "vitrine_degraded_total"
            }
        )


def _busy_seconds() -> float:
    """CPU time of everything on the machine so far, whoever used it."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


@contextmanager
def pinned(cores: list[int]) -> Iterator[None]:
    """Processes that are started within run on these cores; anywhere when there are none."""
    if not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
