"""Where the time of a request goes: stages are disjoint, add up to the request, and count when they fail, too."""

import time

import pytest

from vitrine.api.common.v1 import common_pb2
from vitrine.domain.stages import WAITING, Laps, Spent, Stage, current_spent, measured, spent
from vitrine.wire.stages import stages_from_proto, stages_to_proto


def _work(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_laps_tell_work_from_waiting() -> None:
    laps = Laps()
    _work(0.02)
    laps.lap("work")
    time.sleep(0.03)
    laps.lap("wait")
    work, wait = laps.stages
    assert (work.name, wait.name) == ("work", "wait")
    assert work.seconds >= work.cpu >= 0.02
    assert wait.seconds >= 0.03
    assert wait.cpu < 0.01


def test_a_stage_within_another_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # By clocks of its own: on a busy machine any two lines may lie milliseconds apart.
    clock = {"perf_counter": 100.0, "thread_time": 7.0}
    monkeypatch.setattr("vitrine.domain.stages.perf_counter", lambda: clock["perf_counter"])
    monkeypatch.setattr("vitrine.domain.stages.thread_time", lambda: clock["thread_time"])

    def work(seconds: float, cpu: float) -> None:
        clock["perf_counter"] += seconds
        clock["thread_time"] += cpu

    whole, outer = Laps(), Laps()
    for _ in range(2):
        work(0.25, 0.125)
        inner = Laps()
        work(2.0, 1.0)
        outer.within("features", inner)
        work(1.0, 0.5)
        outer.lap("ranker:deep")
    assert outer.stages == (Stage("features", 4.0, 2.0), Stage("ranker:deep", 2.5, 1.25))
    assert whole.since() == (6.5, 3.25)


def test_the_stages_of_a_request_add_up_to_it() -> None:
    request = Spent()
    _, stages = measured("decode", lambda: _work(0.003))
    request.add(stages)
    time.sleep(0.01)
    request.called("retrieval", 0.004, [Stage("merge", 0.003, 0.003)], failed=False)
    least = time.perf_counter() - request.began
    told = request.close()
    most = time.perf_counter() - request.began
    assert [stage.name for stage in told] == ["decode", "merge", WAITING]
    assert least <= sum(stage.seconds for stage in told) + 1e-9 <= most + 2e-9
    assert told[-1].seconds >= 0.006


def test_a_service_that_fails_counts_all_its_time() -> None:
    request = Spent()
    request.called("retrieval", 0.25, failed=True)
    request.report([Stage("profile", 0.001, 0.001)])
    request.called("profile", 0.101, failed=True)
    told = {stage.name: stage.seconds for stage in request.close()}
    assert told == {"retrieval": 0.25, "profile": pytest.approx(0.101), WAITING: 0.0}


def test_a_service_that_tells_nothing_is_a_stage_of_its_own() -> None:
    request = Spent()
    request.called("profile", 0.02, failed=False)
    assert request.close()[0] == Stage("profile", 0.02, 0.0)


def test_what_nobody_measures_goes_nowhere() -> None:
    assert current_spent.get() is None
    spent().report([Stage("profile", 1.0, 1.0)])
    assert spent().close()[:-1] == ()


def test_stages_travel_as_columns() -> None:
    stages = (Stage("decode", 0.5, 0.25), Stage("source:popular", 0.125, 0.0))
    assert stages_from_proto(stages_to_proto(stages)) == stages
    assert stages_from_proto(common_pb2.Stages(names=["a", "b"], seconds=[1.0])) == ()


def test_what_is_no_time_is_none() -> None:
    message = common_pb2.Stages(
        names=["a", "b", "c"], seconds=[float("nan"), -1.0, 0.5], cpu_seconds=[float("inf"), 0.25, -0.0]
    )
    assert stages_from_proto(message) == (Stage("a", 0.0, 0.0), Stage("b", 0.0, 0.25), Stage("c", 0.5, 0.0))
