"""The command: what it prints at its end, and what it says when something is missing."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tests.unit.trial.conftest import install, ranker
from vitrine.cli import train
from vitrine.cli.plugin_try import try_command
from vitrine.dataset import Dataset


def run(*args: str) -> Result:
    app = typer.Typer()
    app.command()(try_command)
    return CliRunner().invoke(app, [*args], env={"COLUMNS": "120"})


def test_it_ends_with_what_was_found_and_what_to_do_next(
    dataset: Dataset, installed: Path, tmp_path: Path
) -> None:
    install(installed, "endearing")
    out = tmp_path / "out"
    done = run(
        "endearing", "--data", str(dataset.path), "--shoppers", "10", "--weight", "0.2", "--out", str(out)
    )
    assert done.exit_code == 0, done.output
    _, _, end = done.output.partition("What was found")
    assert "Known customers, all items:" in end
    assert "[scenes.home.weights]\n    endearing = 0.2\n" in end
    assert "--retrain" in end
    assert "index.html" in end.replace("\n", "")  # a long path is broken anywhere
    assert (out / "index.html").is_file()
    assert done.output.count("without endearing") >= 13, "three tables and ten lists"
    assert "has never seen 'endearing'" in " ".join(done.output.split())


def test_a_fault_ends_it_with_a_sentence(dataset: Dataset, installed: Path) -> None:
    install(installed, "faulty", ranker("faulty", "return 1 / 0"))
    done = run("faulty", "--data", str(dataset.path), "--shoppers", "5")
    assert done.exit_code == 1
    assert "ZeroDivisionError" in str(done.exception)
    assert "What was found" not in done.output


def test_no_weight_is_no_trial(dataset: Dataset) -> None:
    assert "gives it no say" in str(run("cf", "--data", str(dataset.path), "--weight", "0").exception)


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--weight", "nan", "make it a number"),
        ("--weight", "inf", "make it a number"),
        ("--out", __file__, "is a file; name a folder"),
        ("--from", "2031-01-01", "must begin within the data"),
        ("--to", "2001-01-01", "must begin within the data"),
        ("--scene", "hom", "configured are home"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_done(
    dataset: Dataset, option: str, value: str, says: str
) -> None:
    assert says in str(run("cf", "--data", str(dataset.path), option, value).exception)


def test_the_score_of_a_source_is_told_from_a_ranker(dataset: Dataset) -> None:
    said = str(run("source:popular", "--data", str(dataset.path)).exception)
    assert "is the score of a source, and no ranker" in said
    assert "plugin new" not in said


def test_what_is_missing_is_said_before_anything_is_done(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*gone: str) -> None:
        monkeypatch.setattr(train, "_missing", lambda wanted: [n for n in wanted.values() if n in gone])

    missing("torch", "scikit-learn")
    told = str(run("cf", "--data", str(dataset.path)).exception)
    assert told == (
        "training needs scikit-learn, which is not installed; run `pip install 'vitrine-recommender[train]'`"
    ), "torch is not needed"
    missing("lightgbm")
    told = str(run("cf", "--data", str(dataset.path), "--retrain").exception)
    assert told.endswith("or leave --retrain out")
