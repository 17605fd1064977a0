"""`vitrine plugin new`: what it writes works as it is, and what it refuses it explains."""

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vitrine.cli.app import app
from vitrine.errors import ConfigError
from vitrine.plugin import CONTRACT


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments: str) -> str:
    """What the command prints."""
    done = CliRunner().invoke(app, ["plugin", "new", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_package_passes_its_own_tests(here: Path) -> None:
    new("cheap_first")
    folder = here / "vitrine-cheap-first"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # The contract and two of its own; of the contract, two are for parts that it does not have.
    assert "2 skipped" in done.stdout


def test_the_package_is_tidy(here: Path) -> None:
    new("cheap_first")
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "."],
            cwd=here / "vitrine-cheap-first",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_the_package_says_what_a_server_must_know(here: Path) -> None:
    new("cheap_first")
    project = tomllib.loads((here / "vitrine-cheap-first" / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == "vitrine-cheap-first"
    assert project["entry-points"]["vitrine.rankers"] == {"cheap_first": "vitrine_cheap_first"}
    assert any(r.startswith("vitrine-recommender") for r in project["dependencies"])
    module = (here / "vitrine-cheap-first" / "vitrine_cheap_first" / "__init__.py").read_text("utf-8")
    assert f"VITRINE_CONTRACT = {CONTRACT}\n" in module
    assert "class CheapFirstRanker:" in module
    for path in (here / "vitrine-cheap-first").rglob("*"):
        assert "$" not in (path.read_text("utf-8") if path.is_file() else ""), path


def test_it_prints_what_to_do_next(here: Path) -> None:
    printed = new("cheap_first", "--folder", "mine")
    for command in (
        "pip install -e mine",
        "vitrine plugins",
        "pytest mine",
        "vitrine plugin try cheap_first",
    ):
        assert command in printed
    assert (here / "mine" / "README.md").is_file()


def test_an_empty_folder_is_taken(here: Path) -> None:
    (here / "mine").mkdir()
    new("cheap_first", "--folder", "mine")
    assert (here / "mine" / "pyproject.toml").is_file()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Cheap-First", "begins with a letter; try 'cheap_first'"),
        ("vitrine-cheap", "try 'cheap'"),
        ("9lives", "begins with a letter"),
        ("cheap__first", "single _ between them"),
        ("cheap_", "try 'cheap'"),
        ("便宜", "a to z and 0 to 9"),
        ("a" * 41, "1 to 40"),
        ("../cheap", "try 'cheap'"),
        ("cf", "there is a plugin 'cf' already, of vitrine-recommender"),
        ("export", "there is a module 'vitrine_export' already"),
    ],
)
def test_names_that_cannot_be_are_explained(here: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        new(name)
    assert words in str(raised.value)
    assert not list(here.iterdir())


def test_nothing_is_overwritten(here: Path) -> None:
    new("cheap_first")
    readme = here / "vitrine-cheap-first" / "README.md"
    readme.write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match="there already and not empty; take another --folder"):
        new("cheap_first")
    assert readme.read_text("utf-8") == "mine"
    (here / "file").write_text("")
    with pytest.raises(ConfigError, match="file is a file; take another --folder"):
        new("cheap_first", "--folder", "file")


def test_a_folder_that_cannot_be_written_is_named(here: Path) -> None:
    (here / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file.mine: cannot be written"):
        new("cheap_first", "--folder", "file/mine")


def test_the_commands_are_there() -> None:
    importlib.import_module("vitrine.cli.plugin")
    printed = CliRunner().invoke(app, ["plugin", "--help"]).output
    assert "new" in printed
    assert "try" in printed


@pytest.mark.parametrize("name", ["none", "true", "settings", "batch", "class"])
def test_a_name_that_means_something_to_python_makes_a_package_that_loads(here: Path, name: str) -> None:
    new(name)
    code = (here / f"vitrine-{name}" / f"vitrine_{name}" / "__init__.py").read_text("utf-8")
    made: dict[str, object] = {}
    exec(compile(code, name, "exec"), made)
    assert isinstance(made[f"{name.capitalize()}Ranker"], type)
    assert isinstance(made["Settings"], type)
