"""Stages of requests in Prometheus' words, and around a handler."""

from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from vitrine.api.recommendation.v1 import recommendation_pb2 as pb
from vitrine.domain.stages import WAITING, Stage, current_spent
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.stage_metrics import BUCKETS, MAX_STAGES, OTHERS
from vitrine.rpc.staged import closing, failed, opening


@pytest.fixture(autouse=True)
def _own_request() -> Iterator[None]:
    token = current_spent.set(None)
    yield
    current_spent.reset(token)


def _samples(metrics: Metrics) -> dict[tuple[str, str, str], float]:
    page = generate_latest(metrics.registry).decode()
    return {
        (s.name, s.labels.get("stage", ""), s.labels.get("le", "")): s.value
        for family in text_string_to_metric_families(page)
        for s in family.samples
    }


def test_a_stage_is_a_histogram_of_seconds_and_a_counter_of_cpu() -> None:
    metrics = Metrics()
    metrics.stages([Stage("merge", BUCKETS[0], 0.00005), Stage("encode", 5.0, 0.5)])
    metrics.stages([Stage("merge", 0.003, 0.002)])
    found = _samples(metrics)
    assert found["vitrine_stage_seconds_count", "merge", ""] == 2
    assert found["vitrine_stage_seconds_sum", "merge", ""] == pytest.approx(BUCKETS[0] + 0.003)
    assert found["vitrine_stage_seconds_bucket", "merge", str(BUCKETS[0])] == 1
    assert found["vitrine_stage_seconds_bucket", "merge", "0.004"] == 2
    assert found["vitrine_stage_seconds_bucket", "encode", "1.0"] == 0
    assert found["vitrine_stage_seconds_bucket", "encode", "+Inf"] == 1
    assert found["vitrine_stage_cpu_seconds_total", "merge", ""] == pytest.approx(0.00205)
    assert found["process_cpu_seconds_total", "", ""] > 0


def test_names_without_end_are_counted_as_one() -> None:
    metrics = Metrics()
    for number in range(3 * MAX_STAGES):
        metrics.stages([Stage(f"source:{number}", 0.001, 0.001)])
    counts = {s: n for (m, s, _), n in _samples(metrics).items() if m == "vitrine_stage_seconds_count"}
    assert len(counts) == MAX_STAGES + 1
    assert counts[OTHERS] == 2 * MAX_STAGES


def test_who_asks_gets_the_stages_behind_the_same_message() -> None:
    metrics = Metrics()
    parse, serialise = (
        opening(pb.RecommendRequest.FromString),
        closing(pb.RecommendResponse.SerializeToString, metrics),
    )
    request = parse(pb.RecommendRequest(scene="home", include_stages=True).SerializeToString())
    assert request.scene == "home"
    mine = current_spent.get()
    assert mine is not None
    mine.wanted = request.include_stages
    answer = pb.RecommendResponse(items=[pb.RecommendedItem(item_id="a")], request_id="r")
    received = pb.RecommendResponse.FromString(serialise(answer))
    assert list(received.stages.names) == ["decode", "encode", WAITING]
    assert min(received.stages.seconds) >= 0
    received.ClearField("stages")
    assert received == answer
    assert _samples(metrics)["vitrine_stage_seconds_count", "encode", ""] == 1


def test_who_does_not_ask_gets_the_very_bytes() -> None:
    metrics = Metrics()
    opening(pb.RecommendRequest.FromString)(b"")
    answer = pb.RecommendResponse(request_id="r")
    assert closing(pb.RecommendResponse.SerializeToString, metrics)(answer) == answer.SerializeToString()
    assert _samples(metrics)["vitrine_stage_seconds_count", WAITING, ""] == 1


def test_a_request_that_ends_in_an_error_counts() -> None:
    metrics = Metrics()
    opening(pb.RecommendRequest.FromString)(b"")
    failed(metrics)
    assert _samples(metrics)["vitrine_stage_seconds_count", "decode", ""] == 1
