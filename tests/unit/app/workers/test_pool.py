"""A pool keeps as many workers as it was told to have."""

import asyncio
from typing import Any, cast

import pytest

from tests.unit.app.workers.helpers import Kept, Worker, make_pool, settle
from vitrine.app.workers import handle, watching
from vitrine.app.workers import pool as module
from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Reloaded
from vitrine.app.workers.switching import Wanted, encoded
from vitrine.config import load_config
from vitrine.errors import ConfigError, Timeout, Unavailable

pytestmark = pytest.mark.usefixtures("_no_processes")


async def test_a_worker_that_ends_while_others_start_ends_the_start() -> None:
    def starting(worker: Worker) -> None:
        if worker.number == 2:
            Worker.made[0].end()

    Worker.on_start = starting
    pool = make_pool(2)
    with pytest.raises(ConfigError, match="worker 1 ended"):
        await pool.open()
    assert not pool.up()
    await pool.close()


async def test_a_worker_that_is_never_ready_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READY_SECONDS", 0.02)

    def starting(worker: Worker) -> None:
        Worker.hang = worker.number == 2

    Worker.on_start = starting
    pool = make_pool(3)
    with pytest.raises(ConfigError, match=r"worker 2 was not ready .* plugin may hang"):
        await pool.open()
    assert not pool.up()
    await pool.close()


async def test_a_system_that_has_no_process_left_is_asked_again() -> None:
    pool = make_pool(1)
    await pool.open()
    failures = iter([OSError(24, "Too many open files"), OSError(12, "Cannot allocate memory")])

    def starting(_: Worker) -> None:
        for error in failures:
            raise error

    Worker.on_start = starting
    Worker.made[0].end()
    assert not pool.up()
    await settle(lambda: bool(pool.up()))
    assert pool.restarts == {1: 3}
    await pool.close()


async def test_one_that_others_left_behind_while_it_started_catches_up_before_it_is_asked() -> None:
    kept: Any = Kept("one")
    wanted = Wanted(load_config(), kept)
    pool = make_pool(1, wanted)
    await pool.open()
    Worker.hang = True
    Worker.made[0].end()
    await settle(lambda: len(Worker.made) == 2 and Worker.made[1].start_message is not None)
    # It takes seconds; and nobody tells a worker that is not up.
    wanted.kept, wanted.config = cast("Any", Kept("two")), wanted.config.model_copy(update={"seed": 7})
    late = Worker.made[1]
    late.begun.set_result("one")
    await settle(lambda: late.up)
    assert [told.get("bundle") or told["config"] for told in late.told] == [
        "/proc/two",
        encoded(wanted.config),
    ]
    assert late.up_when_told == [False, False]
    await pool.close()


async def test_one_that_does_not_catch_up_is_started_again() -> None:
    wanted = Wanted(load_config())
    pool = make_pool(1, wanted)
    await pool.open()
    Worker.hang = True
    Worker.made[0].end()
    await settle(lambda: len(Worker.made) == 2 and Worker.made[1].start_message is not None)
    wanted.config = wanted.config.model_copy(update={"seed": 7})
    Worker.made[1].reloads = [Reloaded(reason="INVALID_CONFIG", text="a plugin refuses it")]
    Worker.hang = False
    Worker.made[1].begun.set_result("")
    await settle(lambda: bool(pool.up()))
    assert Worker.made[1].killed
    assert not Worker.made[2].told
    last = Worker.made[2].start_message
    assert last is not None
    assert last.config == encoded(wanted.config)
    await pool.close()


async def test_one_that_reads_slowly_but_talks_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.005)
    pool = make_pool(2)
    await pool.open()
    talking, silent = Worker.made
    talking.unread = silent.unread = 20 << 20
    for _ in range(20):
        talking.silent = 0
        await asyncio.sleep(0.005)
    assert silent.killed
    assert not talking.killed
    await pool.close()


async def test_one_that_hangs_while_it_starts_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(watching, "START_LOOKS", 3)
    pool = make_pool(1)
    await pool.open()
    Worker.hang = True
    Worker.made[0].end()
    await settle(lambda: len(Worker.made) == 2)
    Worker.hang = False
    await settle(lambda: Worker.made[1].killed)
    Worker.made[1].begun.set_exception(ConfigError("worker 1 ended while it started"))
    await settle(lambda: bool(pool.up()))
    await pool.close()


async def test_one_that_talks_but_is_never_ready_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READY_SECONDS", 0.02)
    pool = make_pool(1)
    await pool.open()
    Worker.hang = True
    Worker.made[0].end()
    await settle(lambda: len(Worker.made) == 2)
    Worker.hang = False
    await settle(lambda: bool(pool.up()))
    assert Worker.made[1].killed
    assert pool.restarts == {1: 2}
    await pool.close()


async def test_a_worker_that_has_ended_does_not_keep_a_reload_waiting() -> None:
    async with asyncio.timeout(1):
        with pytest.raises(Unavailable):
            await Handle(1, lambda _: None).reload()


async def test_a_worker_that_hangs_in_a_reload_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    class Link:
        def send(self, _: object) -> None:
            """Takes it, and that is all."""

    monkeypatch.setattr(handle, "READY_SECONDS", 0.02)
    worker = Handle(1, lambda _: None)
    killed: list[Handle] = []
    monkeypatch.setattr(worker, "_link", Link())
    monkeypatch.setattr(worker, "kill", lambda: killed.append(worker))
    async with asyncio.timeout(1):
        with pytest.raises(Timeout, match="worker 1 was not ready within"):
            await worker.reload(bundle="/somewhere")
    assert killed == [worker]
