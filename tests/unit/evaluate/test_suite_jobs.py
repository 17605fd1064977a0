"""`make evaluate`: goes on where it ended, and no failure stops the others. A small program stands for `vitrine`."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from vitrine_export.evaluate.page import Chapter, Page, save_page
from vitrine_export.evaluate.page.store import NAME
from vitrine_export.evaluate.suite import __main__ as suite
from vitrine_export.evaluate.suite.jobs import LOG, METRICS, Jobs
from vitrine_export.evaluate.suite.sets import RUNS, Run

# Its exit status, what it said, and the lines of the program.
Evaluated = Callable[..., tuple[int, str, list[str]]]

# Notes its arguments, threads and cores; writes what an evaluation writes, but for Gowalla where a file forbids it.
PROGRAM = """
import os, pathlib, shutil, sys
here = pathlib.Path(sys.argv[1])
arguments = sys.argv[2:]
cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
with (here / "calls").open("a") as calls:
    calls.write(" ".join([os.environ.get("OMP_NUM_THREADS", "-"), str(cores), *arguments]) + "\\n")
print("said by", arguments[0])
if "fixed-split" in arguments and (here / "forbidden").exists():
    sys.exit(3)
if arguments[0] == "evaluate":
    out = pathlib.Path(arguments[arguments.index("--out") + 1])
    out.mkdir(parents=True, exist_ok=True)
    for name in ("metrics.json", "report.json"):
        shutil.copy(here / name, out / name)
"""
METRICS_OF_ONE = b"""{"tables": [{"key": "known", "title": "Known", "queries": 5, "main": [], "rankers": [],
  "published": [], "rows": [{"method": "pipeline", "values": {"recall@20": 0.5}, "intervals": {}},
  {"method": "buy again", "values": {"recall@20": 0.25}, "intervals": {}}],
  "comparisons": [{"against": "buy again", "measure": "recall@20", "method": "pipeline",
  "difference": {"mean": 0.25, "low": 0.2, "high": 0.3}}]}],
  "milliseconds": 1.5, "seconds": {"training (known)": 61.2, "tuning (known)": 20.4}, "tuned": {"tuning (known)":
  {"what": "the reranker", "measure": "NDCG@20", "trials": 8, "defaults": {"leaves": 31}, "best": {"leaves": 62},
  "compared": 10, "confirmed": 20, "without": 0.5, "better": true, "seconds": 20.4,
  "gain": {"mean": 0.1, "low": 0.05, "high": 0.15, "relative": 0.2}}}}"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / METRICS).write_bytes(METRICS_OF_ONE)
    save_page(tmp_path / NAME, Page("a page", [Chapter("data", "protocol", "told")]))
    for run in RUNS:
        for file in run.needs:
            (tmp_path / "data" / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / file).touch()
    return tmp_path


@pytest.fixture
def evaluated(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Evaluated:
    """Runs the suite."""
    program = (sys.executable, str(place / "program.py"), str(place))
    monkeypatch.setattr(suite, "Jobs", partial(Jobs, program=program))
    folders = ["--data", f"{place}/data", "--out", f"{place}/out", "--write", f"{place}/quality.md"]

    def run(*arguments: str) -> tuple[int, str, list[str]]:
        calls = place / "calls"
        calls.unlink(missing_ok=True)
        status = suite.main([*folders, *arguments])
        return status, capsys.readouterr().out, calls.read_text().splitlines() if calls.exists() else []

    return run


def test_all_runs_are_made_once(evaluated: Evaluated, place: Path) -> None:
    status, said, calls = evaluated()
    assert status == 0
    # The months share one import.
    assert [call.split()[2] for call in calls] == ["import", *["evaluate"] * len(RUNS)]
    assert said.count("done in") == len(RUNS)
    page = (place / "quality.md").read_text("utf-8")
    for run in RUNS:
        assert f"| {run.data}: Known, 5 |" in page
    assert "| 61 s | 20 s |" in page
    assert "s in all" in page
    assert "Tuning of the reranker, 8 trials: leaves 62 instead of 31; NDCG@20 0.6000, without 0.5000" in page
    assert (place / "out" / "report.html").exists()

    status, said, calls = evaluated()
    assert (status, calls) == (0, [])
    assert said.count("kept") == len(RUNS)
    # Other options are another run, and so is what is asked for again.
    assert len(evaluated("--seed", "1", "--only", "gowalla")[2]) == 1
    assert len(evaluated("--again", "--only", "gowalla", "retailrocket")[2]) == 2


def test_a_failure_stops_no_other_and_is_told(evaluated: Evaluated, place: Path) -> None:
    (place / "forbidden").touch()
    status, said, calls = evaluated()
    assert status == 1
    assert len(calls) == 1 + len(RUNS)
    assert said.count("FAILED Gowalla: ended with status 3") == 2
    page = (place / "quality.md").read_text("utf-8")
    assert "Gowalla" not in page
    assert "RetailRocket" in page
    (place / "forbidden").unlink()
    status, _, calls = evaluated()
    assert status == 0
    assert len(calls) == 1
    assert "Gowalla" in (place / "quality.md").read_text("utf-8")


def test_side_by_side_each_has_its_share_of_the_cores_and_a_file(evaluated: Evaluated, place: Path) -> None:
    status, said, calls = evaluated("--jobs", "2", "--trials", "0")
    assert status == 0
    made = [call.split() for call in calls if "evaluate" in call.split()]
    assert {call[0] for call in made} <= {call[1] for call in made}  # a thread a core
    assert all("--trials 0" in " ".join(call) for call in made)
    assert "said by" not in said
    assert (place / "out" / "gowalla" / LOG).read_text() == "said by evaluate\n"


def test_data_that_is_not_there_is_skipped(evaluated: Evaluated, place: Path) -> None:
    (place / "data" / "gowalla" / "test.txt").unlink()
    status, said, calls = evaluated("--only", "gowalla", "amazon")
    assert status == 0
    assert "SKIPPED Gowalla" in said
    assert len(calls) == 1


def test_the_table_takes_what_was_made_by_hand(evaluated: Evaluated, place: Path) -> None:
    run: Run = RUNS[0]
    folder = place / "out" / run.key
    folder.mkdir(parents=True)
    for name in (METRICS, NAME):
        (folder / name).write_bytes((place / name).read_bytes())
    status, _, calls = evaluated("--table")
    assert (status, calls) == (0, [])
    assert run.data in (place / "quality.md").read_text("utf-8")
