"""Threads that work on requests, as a server has them, and what holds them up."""

import threading
from collections.abc import Iterator

import pytest

from vitrine.hosting.workers import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Two threads."""
    with Workers(2) as pool:
        yield pool


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a plugin waits at that hangs; opened after the test, so that its thread ends."""
    gate = threading.Event()
    yield gate
    gate.set()
