"""Pools of workers without processes."""

import pytest

from tests.unit.app.workers.helpers import without_processes


@pytest.fixture
def _no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    without_processes(monkeypatch)
