"""What Prometheus reads of plugins."""

import threading
import time

from prometheus_client import generate_latest

from vitrine.hosting.observer import Observer
from vitrine.rpc.metrics import Metrics


def _value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"vitrine_plugin_{name}", labels)


def test_calls_are_counted_by_outcome_and_timed_unless_left_out() -> None:
    metrics = Metrics()
    observer: Observer = metrics
    observer.plugin_state("ranker:cf", on=True)
    assert _value(metrics, "calls_total", component="ranker:cf", outcome="failed") == 0
    for outcome, seconds in (("ok", 0.003), ("ok", 0.0002), ("timeout", 0.2), ("off", 0.0)):
        observer.plugin_called("ranker:cf", outcome, seconds)
    counted = {
        outcome: _value(metrics, "calls_total", component="ranker:cf", outcome=outcome)
        for outcome in ("ok", "failed", "invalid", "timeout", "off")
    }
    assert counted == {"ok": 2, "failed": 0, "invalid": 0, "timeout": 1, "off": 1}
    assert _value(metrics, "seconds_count", component="ranker:cf") == 3
    assert _value(metrics, "seconds_bucket", component="ranker:cf", le="0.00025") == 1


def test_the_share_of_changed_positions_is_a_ratio_of_counters() -> None:
    metrics = Metrics()
    metrics.plugin_changed("cf", 3, 20)
    metrics.plugin_changed("cf", 0, 20)
    assert _value(metrics, "positions_changed_total", component="ranker:cf") == 3
    assert _value(metrics, "positions_total", component="ranker:cf") == 40


def test_state_hung_threads_and_restarts_are_shown_until_a_plugin_is_gone() -> None:
    metrics = Metrics()
    metrics.plugin_state("features:season", on=False)
    metrics.plugin_hung("features:season", 2)
    metrics.plugin_restarted("season", 0)
    metrics.plugin_restarted("season")
    assert _value(metrics, "on", component="features:season") == 0
    assert _value(metrics, "hung_threads", component="features:season") == 2
    assert _value(metrics, "restarts_total", plugin="season") == 1
    metrics.plugin_gone("features:season")
    metrics.plugin_gone("features:season")
    assert _value(metrics, "on", component="features:season") is None
    assert b'vitrine_plugin_calls_total{component="features:season",outcome="ok"} 0.0' in generate_latest(
        metrics.registry
    )


def test_no_call_of_several_threads_is_lost() -> None:
    metrics = Metrics()

    def count() -> None:
        for _ in range(1000):
            metrics.plugin_called("ranker:cf", "ok", 0.001)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _value(metrics, "calls_total", component="ranker:cf", outcome="ok") == 4000


def test_counting_a_call_takes_microseconds() -> None:
    metrics = Metrics()
    metrics.plugin_called("ranker:cf", "ok", 0.001)
    started = time.thread_time()
    for _ in range(10_000):
        metrics.plugin_called("ranker:cf", "ok", 0.001)
    assert (time.thread_time() - started) / 10_000 < 20e-6
