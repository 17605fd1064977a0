"""Prometheus metrics of one server."""

from collections.abc import Iterable
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    start_http_server,
)

from vitrine.domain.answer import Degradation
from vitrine.domain.stages import Stage
from vitrine.errors import ConfigError
from vitrine.rpc.listening import bare, why_not
from vitrine.rpc.plugin_metrics import PluginMetrics
from vitrine.rpc.stage_metrics import StageMetrics

_BUCKETS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0)


class Metrics(PluginMetrics):
    """Counters and times; safe to use from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        super().__init__(self.registry)
        ProcessCollector(registry=self.registry)
        self._calls = Counter(
            "vitrine_rpc", "Calls by method and status code.", ("method", "code"), registry=self.registry
        )
        self._seconds = Histogram(
            "vitrine_rpc_seconds", "Time of a call.", ("method",), registry=self.registry, buckets=_BUCKETS
        )
        self._stages = StageMetrics(self.registry)
        self._services = Histogram(
            "vitrine_service_seconds",
            "Time that Recommend waits for a service, the queue for a thread or the network included.",
            ("service",),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        # To look up the labels takes longer than to count.
        self._service: dict[str, Histogram] = {}
        self._calls_of_method: dict[tuple[str, str], Counter] = {}
        self._seconds_of_method: dict[str, Histogram] = {}
        self._degraded = Counter(
            "vitrine_degraded", "Answers without a part.", ("component", "code"), registry=self.registry
        )
        self._reloads = Counter(
            "vitrine_bundle_reloads",
            "Reloads of the bundle: switched, unchanged or refused.",
            ("result",),
            registry=self.registry,
        )
        self._bundle = Info("vitrine_bundle", "The bundle that is served.", registry=self.registry)
        self._config_reloads = Counter(
            "vitrine_config_reloads",
            "Reloads of the configuration: switched, unchanged or refused.",
            ("result",),
            registry=self.registry,
        )
        self._config = Info("vitrine_config", "The configuration that is used.", registry=self.registry)

    def called(self, method: str, code: str, seconds: float | None) -> None:
        """Counts a call; ``None`` for a stream, whose length says nothing."""
        calls = self._calls_of_method.get((method, code))
        if calls is None:
            calls = self._calls_of_method[method, code] = self._calls.labels(method, code)
        calls.inc()
        if seconds is None:
            return
        times = self._seconds_of_method.get(method)
        if times is None:
            times = self._seconds_of_method[method] = self._seconds.labels(method)
        times.observe(seconds)

    def stages(self, stages: Iterable[Stage]) -> None:
        """Notes where the time of a request went."""
        self._stages.observe(stages)

    def service(self, name: str, seconds: float) -> None:
        """Notes how long a request waited for a service."""
        known = self._service.get(name)
        if known is None:
            known = self._service[name] = self._services.labels(name)
        known.observe(seconds)

    def degraded(self, part: Degradation) -> None:
        """Counts a missing part of an answer."""
        self._degraded.labels(part.component, part.code.name).inc()

    def bundle_reloaded(self, result: str) -> None:
        """Counts a reload: "switched", "unchanged" or "refused"."""
        self._reloads.labels(result).inc()

    def serves_bundle(self, version: str) -> None:
        """Tells which bundle is served; "" for none."""
        self._bundle.info({"version": version})

    def config_reloaded(self, result: str) -> None:
        """Counts a reload: "switched", "unchanged" or "refused"."""
        self._config_reloads.labels(result).inc()

    def serves_config(self, fingerprint: str) -> None:
        """Tells which configuration is used."""
        self._config.info({"fingerprint": fingerprint})

    def expose(self, host: str, port: int) -> "Exposition":
        """Serves ``/metrics`` from a thread of its own.

        Args:
            host: The interface to listen on.
            port: The port; 0 for any that is free.

        Raises:
            ConfigError: The port is taken, or the interface is not one of this machine.
        """
        try:
            server, _ = start_http_server(port, addr=bare(host), registry=self.registry)
        except OSError as error:
            taken = f"port {port} for metrics is taken; choose another with --metrics-port, or 0 for none"
            raise ConfigError(why_not(error, host, port, option="--metrics-port", taken=taken)) from None
        return Exposition(server)


class Exposition:
    """A running ``/metrics`` server.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, server: WSGIServer) -> None:
        self._server = server
        self.port = server.server_port

    def close(self) -> None:
        """Stops it."""
        self._server.shutdown()
        self._server.server_close()
