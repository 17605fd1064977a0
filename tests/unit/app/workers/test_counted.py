"""Metrics of owner and workers are those of one server, and counters never fall."""

from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from vitrine.app.workers.beats import families
from vitrine.app.workers.counted import merged_registry
from vitrine.app.workers.messages import Beat
from vitrine.app.workers.plugins import merged_parts
from vitrine.app.workers.pool import Pool


def registry(count: int, *, on: bool = True) -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("vitrine_degraded", "Missing.", ("part",), registry=made).labels("cf").inc(count)
    histogram = Histogram("vitrine_stage_seconds", "Time.", ("stage",), registry=made, buckets=(1.0,))
    for _ in range(count):
        histogram.labels("merge").observe(0.5)
    Gauge("vitrine_plugin_on", "On.", ("part",), registry=made).labels("cf").set(on)
    Gauge("vitrine_bundle_info", "Told by the owner.", registry=made).set(9)
    return made


def worker(number: int, told: CollectorRegistry) -> Any:
    return SimpleNamespace(number=number, up=True, waiting={}, beat=Beat({}, families(told.collect())))


def pool(*workers: Any) -> Any:
    numbers = [one.number for one in workers]
    return SimpleNamespace(
        workers={one.number: one for one in workers},
        restarts=dict.fromkeys(numbers, 0),
        on_end=[],
    )


def read(merged: CollectorRegistry) -> dict[str, float]:
    text = generate_latest(merged).decode()
    names = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    return {
        f"{sample.name} {' '.join(sample.labels.values())}".strip(): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counters_and_histograms_add_up_and_the_worst_gauge_counts() -> None:
    workers = pool(worker(1, registry(2)), worker(2, registry(3, on=False)))
    found = read(merged_registry(registry(1), cast("Pool", workers), {1: 7, 2: 7}))
    assert found["vitrine_degraded_total cf"] == 6
    assert found["vitrine_stage_seconds_count merge"] == 6
    assert found["vitrine_stage_seconds_sum merge"] == 3.0
    assert found["vitrine_stage_seconds_bucket 1.0 merge"] == 6
    assert found["vitrine_plugin_on cf"] == 0
    assert found["vitrine_bundle_info"] == 9
    assert found["vitrine_worker_calls_total 2"] == 7


def test_what_workers_that_ended_had_counted_stays() -> None:
    first = worker(1, registry(5))
    workers = pool(first)
    merged = merged_registry(registry(0), cast("Pool", workers), {1: 7, 2: 7})
    for _ in range(2):
        for tell in workers.on_end:
            tell(first)
        first = workers.workers[1] = worker(1, registry(5))
    found = read(merged)
    assert found["vitrine_degraded_total cf"] == 15
    assert found["vitrine_stage_seconds_count merge"] == 15
    assert found["vitrine_plugin_on cf"] == 1


def test_a_part_of_a_plugin_is_on_where_all_workers_have_it_on() -> None:
    assert merged_parts([{"a": True, "b": True}, {"a": True, "b": False, "c": True}]) == {
        "a": True,
        "b": False,
        "c": True,
    }
