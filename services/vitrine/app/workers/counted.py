"""What an owner and its workers have counted, as the metrics of one server."""

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vitrine.app.workers.beats import families
from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Beat, Family
from vitrine.app.workers.pool import Pool

_Key = tuple[str, tuple[tuple[str, str], ...]]
# Of several processes the smallest counts; everything else adds up.
_SMALLEST = {"vitrine_plugin_on"}
# True of the owner alone.
_OWN = {"process_start_time_seconds", "process_max_fds"}


class Counted(Collector):
    """Adds up the metrics of the owner and its workers, those that have ended included: counters never fall.

    Args:
        own: What the owner has counted.
        pool: The workers.
        asked: How many calls each was given, by number.
    """

    def __init__(self, own: CollectorRegistry, pool: Pool, asked: Mapping[int, int]) -> None:
        self._own = own
        self._pool = pool
        self._asked = asked
        self._ended: list[Family] = []
        # Scrapes come in a thread of their own: one that saw a worker both there and ended would count it twice, and the
        # next one less.
        self._lock = Lock()
        pool.on_end.append(self._keep)

    def collect(self) -> Iterator[Metric]:
        """As Prometheus reads it."""
        own = list(self._own.collect())
        with self._lock:
            beats = [worker.beat.metrics for worker in list(self._pool.workers.values())]
            told = _by_name([*(family for beat in beats for family in beat), *self._ended])
        for metric in own:
            more = told.pop(metric.name, [])
            yield metric if not more else _added(metric, more)
        for name, more in told.items():
            first = more[0]
            yield _added(Metric(name, first.help, first.type), more)
        yield from self._workers()

    def _keep(self, worker: Handle) -> None:
        """Remembers the counts of a worker that has ended; its gauges end with it."""
        kept = [f for f in worker.beat.metrics if f.type in {"counter", "histogram"}]
        ended = families(_sums([*self._ended, *kept]))
        with self._lock:
            self._ended = ended
            worker.beat = Beat(worker.beat.parts, [])

    def _workers(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "vitrine_worker_up", "1 when a worker can be asked, 0 when not.", labels=["worker"]
        )
        flight = GaugeMetricFamily("vitrine_worker_in_flight", "Calls that it works on.", labels=["worker"])
        asked = CounterMetricFamily("vitrine_worker_calls", "Calls that it was given.", labels=["worker"])
        restarts = CounterMetricFamily(
            "vitrine_worker_restarts", "How often it was started again.", labels=["worker"]
        )
        for number, worker in list(self._pool.workers.items()):
            labels = [str(number)]
            up.add_metric(labels, float(worker.up))
            flight.add_metric(labels, len(worker.waiting))
            asked.add_metric(labels, self._asked[number])
            restarts.add_metric(labels, self._pool.restarts[number])
        yield from (up, flight, asked, restarts)


def merged_registry(own: CollectorRegistry, pool: Pool, asked: Mapping[int, int]) -> CollectorRegistry:
    """What to expose in place of the owner's registry."""
    registry = CollectorRegistry()
    registry.register(Counted(own, pool, asked))
    return registry


def _sums(told: Iterable[Family]) -> Iterator[Metric]:
    for name, more in _by_name(told).items():
        yield _added(Metric(name, more[0].help, more[0].type), more)


def _by_name(told: Iterable[Family]) -> dict[str, list[Family]]:
    found: dict[str, list[Family]] = {}
    for family in told:
        found.setdefault(family.name, []).append(family)
    return found


def _added(metric: Metric, more: Iterable[Family]) -> Metric:
    """A metric with the samples of others added to its own."""
    values: dict[_Key, float] = {(s.name, tuple(s.labels.items())): s.value for s in metric.samples}
    if metric.name not in _OWN:
        for family in more:
            for name, labels, value in family.samples:
                key = name, tuple(labels.items())
                smallest = metric.name in _SMALLEST or name.endswith("_created")
                before = values.get(key)
                if before is None:
                    values[key] = value
                else:
                    values[key] = min(before, value) if smallest else before + value
    merged = Metric(metric.name, metric.documentation, metric.type)
    for (name, pairs), value in values.items():
        merged.add_sample(name, dict(pairs), value)
    return merged
