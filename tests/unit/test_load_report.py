"""The load report: what ghz wrote comes out right, and what went wrong is said."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.load import ghz, messages
from tests.load.ghz import METHODS, Load, Output, Percentile
from tests.load.report import CLOSED, OPEN, SINGLE, Report, Run, render
from vitrine.api.profile.v1 import profile_pb2

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests/load/samples"
# Of ghz 0.121.0: 1,300 calls of RecordEvents of which the last were sent a second time and refused; and calls to a
# server that is not there.
SOME_FAILED = ghz.parse(SAMPLES / "some_failed.json")
ALL_FAILED = ghz.parse(SAMPLES / "all_failed.json")


def run(config: str, mode: str, output: Output, *, rate: int = 0, seconds: float = 2.6) -> Run:
    load = Load(config=config, address="127.0.0.1:50051", seconds=15, callers=0 if rate else 8, rate=rate)
    return Run(mode=mode, load=load, output=output, server_seconds=seconds, generator=0.5)


def good(rps: float, p50: float, p99: float) -> Output:
    points = [
        Percentile(percentage, int(ms * 1e6)) for percentage, ms in ((50, p50), (95, p99 / 2), (99, p99))
    ]
    count = int(rps * 10)
    return Output(
        count=count,
        total=10**10,
        rps=rps,
        status_code_distribution={"OK": count},
        latency_distribution=points,
    )


def report(*runs: Run) -> str:
    return render(
        Report(
            command="scripts/bench",
            date=datetime(2026, 11, 22, tzinfo=UTC),
            machine={"CPU": "a fast one"},
            versions={"ghz": "0.121.0"},
            shop={"items": "100,000"},
            requests={"Recommend": "home"},
            events_per_call=100,
            runs=list(runs),
        )
    )


def rows(text: str, method: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith(f"| {method} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


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


def test_a_run_without_one_good_call_has_no_percentiles() -> None:
    assert ALL_FAILED.errors == ALL_FAILED.count > 0
    row = rows(report(run("recommend", SINGLE, ALL_FAILED)), "Recommend")[1]
    assert row[3:6] == ["none"] * 3


def test_a_row_of_figures() -> None:
    row = rows(report(run("record_events", CLOSED, SOME_FAILED)), "RecordEvents")[0]
    assert row == [
        "RecordEvents",
        "8 callers",
        f"{SOME_FAILED.rps:,.0f}",
        *(f"{SOME_FAILED.milliseconds(percentage):.3g}" for percentage in (50, 95, 99)),
        f"{SOME_FAILED.errors:,}",
        "2",  # 2.6 s over 1,300 calls
        "0.50",
    ]


def test_ratios_and_events_a_second() -> None:
    text = report(
        run("rank", SINGLE, good(100, 4.0, 5.0)),
        run("rank", CLOSED, good(300, 20.0, 30.0)),
        run("rank", OPEN, good(150, 4.5, 14.0), rate=150),
        run("record_events", CLOSED, good(123, 4.0, 9.0)),
    )
    assert "- Rank: p99 at half of the peak ÷ median of one caller = 3.5" in text
    assert "- RecordEvents: 12,300 durable events/s at the peak" in text
    assert "Nothing: no error, nothing degraded, every rate reached, nothing else ran." in text


def test_what_went_wrong_is_said() -> None:
    late = run("recommend", OPEN, good(90, 4.0, 9.0), rate=100)
    text = report(
        replace(late, degraded={"source:content (TIMEOUT)": 7}, others=0.83),
        run("record_events", CLOSED, SOME_FAILED),
    )
    assert "- Recommend, open: degraded 7 × source:content (TIMEOUT)" in text
    assert "- other programs used up to 0.8 cores during 1 of 2 runs" in text
    assert "- Recommend, open: 90/s reached of 100/s asked for" in text
    assert f"- RecordEvents, closed: {SOME_FAILED.errors:,} × rpc error: code = AlreadyExists" in text


@pytest.mark.parametrize("config", METHODS)
def test_committed_configurations_name_methods_that_exist(config: str) -> None:
    text = (ROOT / "tests/load" / f"{config}.json").read_text(encoding="utf-8")
    proto = next(
        (ROOT / "protos").glob(f"vitrine/api/{text.split('vitrine/api/')[1].split('/')[0]}/v1/*.proto")
    )
    assert f"rpc {METHODS[config]}(" in proto.read_text(encoding="utf-8")
    assert f'Service.{METHODS[config]}"' in text
    assert '"timeout"' in text


def test_messages_are_counted_instead_of_timed() -> None:
    events = Load(
        config="record_events", address="a:1", seconds=15, rate=40, messages=Path("e.bin"), count=600
    )
    command = events.command()
    assert "--duration" not in command
    assert command[command.index("--total") + 1] == "600"
    assert "--async" in command
    assert command[-1] == "a:1"


def test_request_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    sent = [
        profile_pb2.RecordEventsRequest(events=[profile_pb2.Event(event_id="x" * size) for _ in range(3)])
        for size in (0, 40, 128, 6000)
    ]
    assert messages.write(tmp_path / "r.bin", sent) == 4
    assert messages.read(tmp_path / "r.bin", profile_pb2.RecordEventsRequest, 10) == sent
    assert messages.read(tmp_path / "r.bin", profile_pb2.RecordEventsRequest, 2) == sent[:2]
