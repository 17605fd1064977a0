"""`vitrine tune` on the terminal."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from vitrine.cli.tune import tune_command
from vitrine.dataset import Dataset
from vitrine.errors import ConfigError, InvalidInput
from vitrine_export.kinds import Kind

app = typer.Typer(rich_markup_mode="markdown")
app.command()(tune_command)
QUICK = "[training]\nrerank = false\nneural = false\nneighbours = 2\nhalf_life_days = 0.2\n"


@pytest.fixture
def kind(tmp_path: Path) -> Path:
    """Settings of which it is easy to find better ones, without lists."""
    path = tmp_path / "kind.toml"
    path.write_text(QUICK)
    return path


def test_it_says_what_was_found_and_what_comes_next(dataset: Dataset, kind: Path, tmp_path: Path) -> None:
    out = tmp_path / "tuned.toml"
    arguments = ["--data", str(dataset.path), "--kind", str(kind), "--trials", "12", "--out", str(out)]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    for part in ("the item-item models", "NDCG@20", "12", "better: +", "95 % interval", f"--kind {out}"):
        assert part in text
    found = Kind.load(str(out)).parameters
    assert found.neighbours != 2 or found.half_life_days != 0.2
    assert f"half_life_days {found.half_life_days:g}" in text
    assert not found.rerank
    # What was found is where the next search begins.
    again = CliRunner().invoke(
        app,
        ["--data", str(dataset.path), "--kind", str(out), "--trials", "1", "--out", str(out)],
        env={"COLUMNS": "160"},
    )
    assert again.exit_code == 0, again.output
    assert "nothing beat the defaults" in " ".join(again.output.split())
    assert Kind.load(str(out)).parameters == found


def test_minutes_bound_the_search(dataset: Dataset, kind: Path, tmp_path: Path) -> None:
    out = tmp_path / "tuned.toml"
    begun = time.monotonic()
    result = CliRunner().invoke(
        app, ["--data", str(dataset.path), "--kind", str(kind), "--minutes", "0.05", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert time.monotonic() - begun < 30
    assert "trials" in out.read_text()


@pytest.mark.parametrize(
    ("out", "said"), [("no/such/tuned.toml", "is not there; make it"), (".", "is a folder; name a file")]
)
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_searched(
    out: str, said: str, dataset: Dataset, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["--data", str(dataset.path), "--out", str(tmp_path / out)])
    assert isinstance(result.exception, InvalidInput)
    assert said in str(result.exception)


@pytest.mark.parametrize(
    ("gone", "named"), [("optuna", "tuning needs optuna"), ("lightgbm", "tuning needs lightgbm")]
)
def test_a_missing_package_is_one_sentence_with_the_fix(
    gone: str, named: str, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == gone else real(name, package)

    monkeypatch.setattr("vitrine.cli.tune.find_spec", find)
    monkeypatch.setattr("vitrine.cli.train.find_spec", find)
    result = CliRunner().invoke(app, ["--data", str(dataset.path), "--out", str(tmp_path / "t.toml")])
    assert isinstance(result.exception, ConfigError)
    assert named in str(result.exception)
    assert str(result.exception).endswith("pip install 'vitrine-recommender[train]'`")


def test_help_teaches_with_examples() -> None:
    text = " ".join(CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).output.split())
    assert text.count("vitrine tune --data") >= 4
    assert "vitrine train data/shop --kind shop-kind.toml" in text
    for option in ("--minutes", "--trials", "--resume", "--until", "--kind", "--seed", "--out"):
        assert option in text


@pytest.mark.slow
def test_a_killed_and_a_stopped_search_lose_nothing(dataset: Dataset, kind: Path, tmp_path: Path) -> None:
    folder = tmp_path / "search"

    def start(out: Path, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "vitrine", "tune", "--data", str(dataset.path), "--kind", str(kind)]
        command += ["--trials", "12", "--out", str(out), *more]
        environment = {**os.environ, "COLUMNS": "400", "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )

    def wait_for(trials: int, process: subprocess.Popen[str]) -> None:
        for _ in range(6000):
            if len(list(folder.glob("measured/*.npy"))) >= trials or process.poll() is not None:
                return
            time.sleep(0.01)

    straight = start(tmp_path / "straight.toml")
    out = tmp_path / "tuned.toml"
    killed = start(out, "--resume", str(folder))
    wait_for(3, killed)
    killed.kill()
    killed.communicate(timeout=60)
    assert not out.exists()

    stopped = start(out, "--resume", str(folder))
    wait_for(6, stopped)
    stopped.send_signal(signal.SIGINT)
    said, errors = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, said + errors
    assert "Traceback" not in said + errors
    assert f"--resume {folder}" in said
    assert "Stopped by hand" in out.read_text()

    assert straight.wait(120) == 0
    straight.communicate()
    last = start(out, "--resume", str(folder))
    said, errors = last.communicate(timeout=120)
    assert last.returncode == 0, errors
    assert out.read_text() == (tmp_path / "straight.toml").read_text()
