"""Every second a worker says that it is well, how its plugins are, and what it has counted."""

from collections.abc import Iterable

from prometheus_client.core import Metric

from vitrine.app.every import Every
from vitrine.app.workers.link import Link
from vitrine.app.workers.messages import Beat, Family
from vitrine.rpc.metrics import Metrics

BEAT_SECONDS = 1.0
# What the owner tells.
_OWN = ("vitrine_bundle", "vitrine_config")


class Beats:
    """Follows `vitrine.app.plugin_watch.Telling`, and tells the owner."""

    def __init__(self, link: Link, metrics: Metrics) -> None:
        self._link = link
        self._registry = metrics.registry
        self._parts: dict[str, bool] = {}
        self._every = Every(BEAT_SECONDS, self._beat, "telling the owner")

    async def tell(self, name: str, *, serving: bool | None) -> None:
        """Remembers how a part is."""
        if serving is None:
            self._parts.pop(name, None)
        else:
            self._parts[name] = serving

    def start(self) -> None:
        """Begins, in the running event loop."""
        self._every.start()

    async def _beat(self) -> None:
        self._link.send(Beat(self._parts, families(self._registry.collect())))


def families(metrics: Iterable[Metric]) -> list[Family]:
    """What was counted, as it travels."""
    return [_family(metric) for metric in metrics if not metric.name.startswith(_OWN)]


def _family(metric: Metric) -> Family:
    samples = [(s.name, s.labels, s.value) for s in metric.samples]
    return Family(metric.name, metric.type, metric.documentation, samples)
