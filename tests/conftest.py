"""Fixtures that many tests share."""

import os
from pathlib import Path

import pytest

from tests.support import lossyfs as support
from tests.support.world import World, build_world

lossyfs_fixture = support.lossyfs_fixture

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    """A small simulated shop: data set, bundle and filled store; made once a test run."""
    root = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    return build_world(root / "world")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The evaluation data beside the repository; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the evaluation data (../shared/data) is absent")
    return SHARED_DATA


def pytest_report_header() -> str:
    """Says what decides about skips."""
    return (
        f"CI: {os.environ.get('CI', 'no')}; evaluation data: {'there' if SHARED_DATA.is_dir() else 'absent'}"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows what became of the zoo of bad plugins (tests/integration/server/test_zoo.py)."""
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, [])]
    rows = [row for r in reports for key, row in getattr(r, "user_properties", []) if key == "zoo"]
    if not rows:
        return
    head = ["what the plugin does", "isolation", "calls", "said of it", "p99 of the scene beside it"]
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    terminalreporter.section("a zoo of bad plugins")
    for row in [head, *rows]:
        cells = (str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line("  ".join(cells).rstrip())
