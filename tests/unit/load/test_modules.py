"""A module of rows that fails loses no row of itself or of others, and says why."""

from pathlib import Path

import pytest

from tests.load import modules
from tests.load.rows import base

ROOT = Path(__file__).parents[3]
MODULE = """
from tests.load.rows.base import Row, main

def rows(world):
    yield Row(what="first", value=1.0, bound=2)
    raise RuntimeError("no second")

if __name__ == "__main__":
    main(rows)
"""


def test_a_module_that_fails_keeps_its_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_rows.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    first, failed = modules.run("broken_rows", [], tmp_path / "out.json")
    assert (first.what, first.value, first.reached) == ("first", 1.0, True)
    assert failed.value is None
    assert "no second" in failed.note
    assert modules.kept(tmp_path / "out.json") == [first, failed]


def test_all_modules_have_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in modules.names():
        text = (modules.FOLDER / f"{name}.py").read_text(encoding="utf-8")
        assert "def rows(world: World)" in text
        assert "main(rows)" in text
    assert base.__name__.rpartition(".")[2] not in modules.names()
