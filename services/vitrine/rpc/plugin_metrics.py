"""How plugins are doing, for Prometheus: follows `vitrine.hosting.observer.Observer`."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Plugins take fractions of what a call takes.
_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
_OUTCOMES = ("ok", "failed", "invalid", "timeout", "busy", "off")


class PluginMetrics:
    """Counters and times by component ("ranker:NAME", "features:NAME"); safe to use from any thread.

    Looking up the counter of some labels takes longer than counting, so each is looked up once. Two threads that do so
    at once get the same one.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._plugin_calls = Counter(
            "vitrine_plugin_calls",
            "Calls of plugins: ok, failed (raised), invalid (a wrong answer), timeout, busy (too many wait for its model), off (left out, not called).",
            ("component", "outcome"),
            registry=registry,
        )
        self._plugin_seconds = Histogram(
            "vitrine_plugin_seconds",
            "Time of a plugin's call, whatever came of it.",
            ("component",),
            registry=registry,
            buckets=_BUCKETS,
        )
        self._plugin_positions = Counter(
            "vitrine_plugin_positions",
            "Positions of windows in which a ranker had a say; windows are sampled.",
            ("component",),
            registry=registry,
        )
        self._plugin_changed = Counter(
            "vitrine_plugin_positions_changed",
            "Those of them that had another item after the ranker than before it.",
            ("component",),
            registry=registry,
        )
        self._plugin_on = Gauge(
            "vitrine_plugin_on", "1 when a plugin is called, 0 when not.", ("component",), registry=registry
        )
        self._plugin_hung = Gauge(
            "vitrine_plugin_hung_threads",
            "Threads that a plugin keeps and nobody waits for any more.",
            ("component",),
            registry=registry,
        )
        self._plugin_restarts = Counter(
            "vitrine_plugin_restarts",
            "Times that a plugin's own process was started again.",
            ("plugin",),
            registry=registry,
        )
        self._calls_of: dict[tuple[str, str], Counter] = {}
        self._seconds_of: dict[str, Histogram] = {}
        self._positions_of: dict[str, tuple[Counter, Counter]] = {}

    def plugin_called(self, component: str, outcome: str, seconds: float) -> None:
        """Counts a call; one that was left out ("off") took no time."""
        calls = self._calls_of.get((component, outcome))
        if calls is None:
            calls = self._calls_of[component, outcome] = self._plugin_calls.labels(component, outcome)
        calls.inc()
        if outcome == "off":
            return
        times = self._seconds_of.get(component)
        if times is None:
            times = self._seconds_of[component] = self._plugin_seconds.labels(component)
        times.observe(seconds)

    def plugin_changed(self, name: str, changed: int, positions: int) -> None:
        """Counts the positions of a window, and those that the ranker ``name`` changed."""
        counters = self._positions_of.get(name)
        if counters is None:
            component = f"ranker:{name}"
            counters = self._positions_of[name] = (
                self._plugin_positions.labels(component),
                self._plugin_changed.labels(component),
            )
        counters[0].inc(positions)
        counters[1].inc(changed)

    def plugin_state(self, component: str, *, on: bool) -> None:
        """Tells whether a plugin is called."""
        # So that rates are known from the first failure on: a counter that appears with 1 has not risen.
        for outcome in _OUTCOMES:
            self._plugin_calls.labels(component, outcome)
        self._plugin_on.labels(component).set(on)

    def plugin_hung(self, component: str, threads: int) -> None:
        """Tells how many threads it keeps."""
        self._plugin_hung.labels(component).set(threads)

    def plugin_restarted(self, name: str, times: int = 1) -> None:
        """Counts restarts of a plugin's process; 0 of them make the counter known."""
        self._plugin_restarts.labels(name).inc(times)

    def plugin_gone(self, component: str) -> None:
        """Forgets the state of a plugin that no scene uses any more; what was counted stays."""
        for gauge in (self._plugin_on, self._plugin_hung):
            # Older versions of the library mind when it is not there.
            with suppress(KeyError):
                gauge.remove(component)
