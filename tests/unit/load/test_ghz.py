"""What ghz wrote is read right, and it is told what is meant."""

from pathlib import Path

import pytest

from tests.load import ghz, messages
from tests.load.ghz import EVENTS, METHODS, Load
from vitrine.api.profile.v1 import profile_pb2

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests/load/samples"
# Of ghz 0.121.0: 1,300 calls of RecordEvents of which the last were sent a second time and refused; and calls to a
# server that is not there.
SOME_FAILED = ghz.parse(SAMPLES / "some_failed.json")
ALL_FAILED = ghz.parse(SAMPLES / "all_failed.json")


def test_ghz_output_is_read() -> None:
    assert SOME_FAILED.count == 1300
    assert SOME_FAILED.errors == 1300 - SOME_FAILED.status_code_distribution["OK"] > 0
    assert sum(SOME_FAILED.error_distribution.values()) == SOME_FAILED.errors
    p50, p95, p99 = (SOME_FAILED.milliseconds(percentage) for percentage in (50, 95, 99))
    assert p50 is not None
    assert p95 is not None
    assert p99 is not None
    assert 0.1 < p50 < p95 < p99 < 1000
    assert SOME_FAILED.milliseconds(42) is None


def test_only_calls_that_ended_well_count_as_achieved() -> None:
    good = SOME_FAILED.status_code_distribution["OK"] / SOME_FAILED.count
    whole = SOME_FAILED.total / (SOME_FAILED.total - SOME_FAILED.fastest)
    assert SOME_FAILED.achieved == pytest.approx(SOME_FAILED.rps * good * whole)
    assert whole > 1
    assert ALL_FAILED.achieved == 0
    assert ALL_FAILED.milliseconds(50) is None


@pytest.mark.parametrize("config", [*METHODS, EVENTS])
def test_committed_configurations_name_methods_that_exist(config: str) -> None:
    text = (ROOT / "tests/load" / f"{config}.json").read_text(encoding="utf-8")
    method = {**METHODS, EVENTS: "RecordEvents"}[config]
    proto = next(
        (ROOT / "protos").glob(f"vitrine/api/{text.split('vitrine/api/')[1].split('/')[0]}/v1/*.proto")
    )
    assert f"rpc {method}(" in proto.read_text(encoding="utf-8")
    assert f'Service.{method}"' in text
    assert '"timeout"' in text


def test_messages_are_counted_instead_of_timed() -> None:
    command = Load(config=EVENTS, address="a:1", rate=40, messages=Path("e.bin"), count=600).command()
    assert "--duration" not in command
    assert command[command.index("--total") + 1] == "600"
    assert "--async" in command
    assert command[-1] == "a:1"


@pytest.mark.parametrize(("rate", "starters"), [(1, "1"), (40, "4")])
def test_a_constant_rate_has_no_more_connections_than_starters(rate: int, starters: str) -> None:
    command = Load(config="rank", address="a:1", rate=rate, messages=Path("r.bin"), seconds=2).command()
    assert command[command.index("--rps") + 1] == str(rate)
    assert command[command.index("--concurrency") + 1] == starters
    assert command[command.index("--connections") + 1] == starters


def test_request_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    sent = [
        profile_pb2.RecordEventsRequest(events=[profile_pb2.Event(event_id="x" * size) for _ in range(3)])
        for size in (0, 40, 128, 6000)
    ]
    assert messages.write(tmp_path / "r.bin", sent) == 4
    assert messages.read(tmp_path / "r.bin", profile_pb2.RecordEventsRequest, 10) == sent
    assert messages.read(tmp_path / "r.bin", profile_pb2.RecordEventsRequest, 2) == sent[:2]


@pytest.mark.parametrize(("by", "first"), [(0, "0"), (3, "3"), (5, "0"), (12, "2")])
def test_a_run_goes_on_where_the_last_one_ended(by: int, first: str, tmp_path: Path) -> None:
    sent = [profile_pb2.Event(event_id=str(n), item_id="x" * 100 * n) for n in range(5)]
    messages.write(tmp_path / "e.bin", sent)
    messages.rotate(tmp_path / "e.bin", by)
    found = messages.read(tmp_path / "e.bin", profile_pb2.Event, 10)
    assert found[0].event_id == first
    assert sorted(event.event_id for event in found) == list("01234")
