"""A module of rows that fails loses no row of itself or of others, and says why."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.load import modules
from tests.load.measuring import Measuring
from tests.load.row import Row
from tests.load.rows import base

ROOT = Path(__file__).parents[3]
MODULE = """
from tests.load.rows.base import Row, main

def rows(world):
    yield Row(what="first", value=1.0, bound=2)
    if open("fail").read():
        raise RuntimeError("no second")
    yield Row(what="second", value=1.5, bound=2, tolerance=3)

if __name__ == "__main__":
    main(rows)
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Row]]:
    """Runs a module that fails while the file `fail` has something in it."""
    (tmp_path / "broken_rows.py").write_text(MODULE)
    (tmp_path / "fail").write_text("yes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    return lambda: modules.run("broken_rows", [], tmp_path / "out.json")


def test_a_module_that_fails_keeps_its_first_rows(broken: Callable[[], list[Row]], tmp_path: Path) -> None:
    first, failed = broken()
    assert (first.what, first.value, first.reached, first.failed) == ("first", 1.0, True, False)
    assert (failed.what, failed.value, failed.failed) == ("`broken_rows`", None, True)
    assert failed.note.startswith("failed: it ended with code 1: ")
    assert "no second" in failed.note
    assert modules.kept(tmp_path / "out.json") == [first, failed]


def test_rows_of_an_earlier_run_stay_and_say_that_they_failed(
    broken: Callable[[], list[Row]], tmp_path: Path
) -> None:
    broken()
    (tmp_path / "fail").write_text("")
    assert [(row.what, row.value, row.failed) for row in broken()] == [
        ("first", 1.0, False),
        ("second", 1.5, False),
    ]
    (tmp_path / "fail").write_text("yes")
    first, second = broken()
    assert first.value == 1.0
    assert (second.what, second.value, second.bound, second.tolerance) == ("second", None, 2, 3)
    assert second.failed
    assert "no second" in second.note


def test_each_module_is_timed_and_one_that_fails_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ran(module: str, arguments: list[str], out: Path) -> list[Row]:
        failed = module.endswith("bad")
        out.write_bytes(msgspec.json.encode(rows := [Row(what=module, value=None, failed=failed)]))
        return rows

    monkeypatch.setattr(modules, "run", ran)
    monkeypatch.setattr(modules, "names", lambda: ["bad", "good"])
    found = Measuring(tmp_path / "kept", [], lambda _: None)
    found.run(["bad", "good"])
    assert [row.what for row in found.every()] == ["tests.load.rows.bad", "tests.load.rows.good"]
    assert found.failed(["bad", "good"]) == ["bad"]
    bad, good, together = found.table(["bad", "good"]).splitlines()
    assert bad.split() == ["bad", "0", "s", "failed"]
    assert good.split() == ["good", "0", "s"]
    assert together.split() == ["together", "0", "s"]
    # Another run that measures one of them knows when the other was measured.
    assert set(Measuring(tmp_path / "kept", [], lambda _: None).last) == {"bad", "good"}


def test_all_modules_have_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in modules.names():
        text = (modules.FOLDER / f"{name}.py").read_text(encoding="utf-8")
        assert "def rows(world: World)" in text
        assert "main(rows)" in text
    assert base.__name__.rpartition(".")[2] not in modules.names()
