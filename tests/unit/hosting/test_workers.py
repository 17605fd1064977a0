"""Threads for requests end with the server, whatever hangs in them."""

import threading
import time

import pytest

from vitrine.hosting import workers as module
from vitrine.hosting.workers import Workers


def test_all_that_hang_together_hold_up_the_end_no_longer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_JOIN_SECONDS", 0.2)
    gate, workers = threading.Event(), Workers(4)
    hangs = [workers.submit(gate.wait, 20) for _ in range(4)]
    started = time.monotonic()
    workers.shutdown()
    assert time.monotonic() - started < 0.5
    gate.set()
    assert all(future.result(5) for future in hangs), "what was at work is let finish"
