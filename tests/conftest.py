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
