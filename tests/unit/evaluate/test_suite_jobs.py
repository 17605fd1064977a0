"""`make evaluate`: goes on where it ended, and no failure stops the others. A small program stands for `vitrine`."""

import importlib.machinery
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from vitrine_export.alone import alone
from vitrine_export.evaluate.page import Chapter, Page, save_page
from vitrine_export.evaluate.page.store import NAME
from vitrine_export.evaluate.suite import __main__ as suite
from vitrine_export.evaluate.suite import made_of
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
    (tmp_path / "code").write_text("as it is")
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

    def code() -> str:
        return (place / "code").read_text()

    monkeypatch.setattr(suite, "Jobs", partial(Jobs, program=program, code=code))
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


def test_what_data_or_code_has_changed_for_is_made_again(evaluated: Evaluated, place: Path) -> None:
    some = ("--only", "gowalla", "retailrocket")
    assert len(evaluated(*some)[2]) == 2
    file = place / "data" / "gowalla" / "test.txt"
    file.write_text("u1 a b\n")
    _, said, calls = evaluated(*some)
    assert f"again Gowalla: {file} has changed since" in said
    assert len(calls) == 1
    assert evaluated(*some)[2] == []
    (place / "code").write_text("another")
    _, said, calls = evaluated("--only", "retailrocket")
    assert "again RetailRocket: it was made with other code" in said
    assert len(calls) == 1
    # What is not asked for is no longer in the table, and that is said.
    assert "Gowalla, as it was made with other code; --table writes it all the same" in said
    assert "Gowalla" not in (place / "quality.md").read_text("utf-8")
    # Of data that is gone, nothing is known.
    (place / "data" / "retailrocket" / "train_sessions.txt").unlink()
    evaluated("--only", "retailrocket")
    assert "RetailRocket" in (place / "quality.md").read_text("utf-8")


def test_code_that_changes_while_it_runs_keeps_nothing_out_of_the_table(
    evaluated: Evaluated, place: Path
) -> None:
    program = place / "program.py"
    program.write_text(PROGRAM + "(here / 'code').write_text(str(os.getpid()))\n")
    evaluated("--only", "gowalla", "retailrocket")
    page = (place / "quality.md").read_text("utf-8")
    assert "Gowalla" in page
    assert "RetailRocket" in page
    # But both are made again: they were begun with what is no more.
    program.write_text(PROGRAM)
    assert len(evaluated("--only", "gowalla", "retailrocket")[2]) == 2


def test_the_code_is_that_of_all_that_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("vitrine", "vitrine_export", "vitrine_cf"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "__init__.py").touch()
        (tmp_path / name / "__init__.py").touch()

    def find(name: str) -> Any:
        return importlib.machinery.PathFinder.find_spec(name, [str(tmp_path)])

    monkeypatch.setattr(made_of, "find_spec", find)
    seen = [made_of.code()]
    for file in ("vitrine/inner/__init__.py", "vitrine_export/kind.toml", "vitrine_cf/__init__.py"):
        (tmp_path / file).write_text("changed = 1\n")
        seen.append(made_of.code())
    (tmp_path / "vitrine" / "notes.txt").touch()
    assert made_of.code() == seen[-1]
    assert len(set(seen)) == 4


def test_the_table_has_the_commands_that_were_run(evaluated: Evaluated, place: Path) -> None:
    evaluated("--jobs", "2", "--seed", "7", "--no-ablation", "--only", "gowalla", "online-retail-2011-07")
    assert evaluated("--table")[0] == 0
    page = (place / "quality.md").read_text("utf-8")
    told = "--train DATA/gowalla/train.txt --test DATA/gowalla/test.txt --seed 7 --no-ablation  # "
    assert f"vitrine evaluate --protocol fixed-split {told}" in page
    assert "--data .evaluate/retail --from 2011-07-01 --to 2011-08-01 --seed 7 --no-ablation  # " in page
    assert page.count("s in all, 2 runs side by side") == 2
    assert str(place) not in page


def test_two_do_not_share_a_folder(evaluated: Evaluated, place: Path) -> None:
    (place / "out").mkdir()
    with alone(place / "out" / ".lock", "out", "one"):
        status, said, calls = evaluated()
        assert (status, calls) == (1, [])
        assert "out: another `make evaluate`" in said
    assert len(evaluated("--only", "gowalla")[2]) == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_no_command_goes_on_when_the_suite_is_stopped(
    number: signal.Signals, status: int, place: Path
) -> None:
    waits = "import os, pathlib, sys, time\n(pathlib.Path(sys.argv[1]) / f'pid{os.getpid()}').touch()\ntime.sleep(60)\n"
    (place / "program.py").write_text(waits)
    code = textwrap.dedent("""
        import signal, sys
        from functools import partial
        from vitrine_export.evaluate.suite import __main__ as suite
        from vitrine_export.evaluate.suite.jobs import Jobs
        # Whoever started us may have had them ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        suite.Jobs = partial(Jobs, program=(sys.executable, *sys.argv[1:3]))
        sys.exit(suite.main(sys.argv[3:]))
    """)
    folders = ["--data", f"{place}/data", "--out", f"{place}/out", "--write", f"{place}/quality.md"]
    runs = ["--only", "gowalla", "retailrocket", "amazon-beauty", "--jobs", "2"]
    started = subprocess.Popen(
        [sys.executable, "-c", code, str(place / "program.py"), str(place), *folders, *runs],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for _ in range(600):
        if len(list(place.glob("pid*"))) == 2 or started.poll() is not None:
            break
        time.sleep(0.05)
    children = [int(path.name[3:]) for path in place.glob("pid*")]
    started.send_signal(number)
    said, _ = started.communicate(timeout=30)
    assert started.returncode == status, said
    assert len(children) == len(list(place.glob("pid*"))) == 2
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
    assert "Stopped." in said
    assert "FAILED" not in said
    assert not list(place.glob("out/*/done.json"))


def test_a_finished_run_tells_how_it_was_made(evaluated: Evaluated, place: Path) -> None:
    evaluated("--only", "gowalla")
    told = json.loads((place / "out" / "gowalla" / "done.json").read_bytes())
    assert told["side_by_side"] == 1
    assert told["code"] == "as it is"
    assert set(told["data"]) == {"gowalla/train.txt", "gowalla/test.txt"}
