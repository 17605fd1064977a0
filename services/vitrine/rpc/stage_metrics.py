"""Where the time of requests goes, for Prometheus: seconds and CPU by stage."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from vitrine.domain.stages import Stage

# Stages take fractions of what a request takes.
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
# Names come from the configuration, and from other services; more than these are counted as one.
MAX_STAGES = 100
OTHERS = "others"

_BOUNDS = (*map(str, BUCKETS), "+Inf")


class _Row:
    __slots__ = ("counts", "cpu", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BOUNDS)
        self.seconds = self.cpu = 0.0


class StageMetrics(Collector):
    """``vitrine_stage_seconds`` and ``vitrine_stage_cpu_seconds_total``; safe to use from any thread.

    A request has some thirty stages. One lock for all of them, and plain numbers, cost a quarter of what a counter and
    a histogram of prometheus-client cost, which lock and look up for each.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rows: dict[str, _Row] = {}
        self._lock = Lock()
        registry.register(self)

    def observe(self, stages: Iterable[Stage]) -> None:
        """Takes in the stages of a request."""
        with self._lock:
            for name, seconds, cpu in stages:
                row = self._rows.get(name) or self._row(name)
                row.counts[bisect_left(BUCKETS, seconds)] += 1
                row.seconds += seconds
                row.cpu += cpu

    def collect(self) -> Iterator[Metric]:
        """As Prometheus reads it."""
        histogram = HistogramMetricFamily(
            "vitrine_stage_seconds",
            "Time of a stage of Recommend; stages do not overlap and add up to the request.",
            labels=("stage",),
        )
        counter = CounterMetricFamily(
            "vitrine_stage_cpu_seconds", "CPU of a stage of Recommend.", labels=("stage",)
        )
        with self._lock:
            rows = [(name, list(row.counts), row.seconds, row.cpu) for name, row in self._rows.items()]
        for name, counts, seconds, cpu in rows:
            total, buckets = 0, []
            for bound, count in zip(_BOUNDS, counts, strict=True):
                total += count
                buckets.append((bound, total))
            histogram.add_metric((name,), buckets, seconds)
            counter.add_metric((name,), cpu)
        yield histogram
        yield counter

    def _row(self, name: str) -> _Row:
        """A new row, or that of the others."""
        known = name if len(self._rows) < MAX_STAGES else OTHERS
        return self._rows.setdefault(known, _Row())
