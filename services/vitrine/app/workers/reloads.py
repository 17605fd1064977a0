"""Bundle and configuration of an owner and all its workers: the first worker tries, then the others follow."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from vitrine.app.reload import Reloader
from vitrine.app.watch import Marks, look_at
from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Reloaded
from vitrine.app.workers.pool import Pool
from vitrine.bundle import swapping
from vitrine.config import Config
from vitrine.errors import BundleRefused, ConfigRefused, Unavailable
from vitrine.rpc.metrics import Metrics

log = logging.getLogger(__name__)

Ask = Callable[[Handle], Awaitable[Reloaded]]
Told = list[tuple[Handle, Reloaded]]


class EveryBundle:
    """Follows `vitrine.bundle.swapping.Swapping` and `vitrine.app.watch.Watched`, for all workers.

    Args:
        folder: The folder of the bundle.
        pool: The workers.
        metrics: Counts reloads and tells the version.
        seen: How the folder looked before the workers read it: what changes meanwhile is a change.

    Attributes:
        version: The bundle that is served.
        seen: How the folder looked when it was last read, well or not.
    """

    def __init__(self, folder: Path | None, pool: Pool, metrics: Metrics, seen: Marks | None) -> None:
        self._folder = folder
        self._pool = pool
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self.seen = seen
        self.version = pool.up()[0].version
        metrics.serves_bundle(self.version)

    def look(self) -> Marks | None:
        """How the folder looks now; ``None`` while it is missing."""
        return None if self._folder is None else look_at(self._folder)

    def served(self) -> swapping.Served:
        """What is served now, as far as the owner knows; a worker knows more (`Method.GET_BUNDLE`)."""
        return swapping.Served(self.version, 0.0, "", ())

    def reload(self, expected_version: str = "") -> swapping.Reloaded:
        """As `Swapping.reload`; call it in a thread.

        A worker that lags behind the others is ended and started again, with what lies in the folder.
        """
        self.seen = self.look()
        before, started = self.version, time.perf_counter()
        done, lag = _wait(self._loop, self._reload(expected_version))
        if lag or not done:
            self._metrics.bundle_reloaded("refused")
            reason, text = _why(lag)
            if done:
                text = (
                    f"{len(done)} of {len(done) + len(lag)} workers serve {self.version}, the others are started "
                    f"again: {text}"
                )
                log.warning("the bundle is refused: %s", text)
            raise BundleRefused(reason, text, before)
        switched = any(one.switched for _, one in done)
        self._metrics.bundle_reloaded("switched" if switched else "unchanged")
        self._metrics.serves_bundle(self.version)
        return swapping.Reloaded(self.version, before, switched, time.perf_counter() - started)

    async def catch_up(self, worker: Handle) -> None:
        """Has a worker that was started while the others switched do as they did."""
        if worker.version != self.version:
            await self._pool.reload(worker)
        if worker.version != self.version:
            log.warning(
                "worker %d serves bundle %s and others %s: reload, or put the bundle back",
                worker.number,
                worker.version or "none",
                self.version or "none",
            )

    async def _reload(self, expected: str) -> tuple[Told, Told]:
        done, lag = await _in_turn(self._pool, lambda worker: self._pool.reload(worker, expected=expected))
        if done:
            self.version = done[0][1].version
            for worker, _ in lag:
                worker.kill()
        return done, lag


class EveryConfig:
    """Follows `vitrine.app.reconfigure.Using`, for the owner and all workers.

    Args:
        own: What the owner makes windows with while no worker is there.
        pool: The workers.
    """

    def __init__(self, own: Reloader, pool: Pool) -> None:
        self._own = own
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        # What workers go by that are started now; that of the owner follows when all have it.
        self._wanted = own.config

    @property
    def config(self) -> Config:
        """The one that is used now."""
        return self._own.config

    def use(self, config: Config) -> None:
        """As `Using.use`; where a worker or the owner refuses, those that took it take the old one back. Call it in a thread."""
        before = self._own.config
        self._wanted = config
        try:
            done, lag = _wait(self._loop, self._tell(config))
            if lag or not done:
                raise ConfigRefused(*_why(lag), before.fingerprint)
            self._own.use(config)
        except BaseException:
            self._wanted = before
            _wait(self._loop, self._tell(before))
            raise

    async def catch_up(self, worker: Handle) -> None:
        """Has a worker that was started while the configuration changed go by the one that is used."""
        await self._pool.reload(worker, config=encoded(self._wanted))

    async def _tell(self, config: Config) -> tuple[Told, Told]:
        data = encoded(config)
        return await _in_turn(self._pool, lambda worker: self._pool.reload(worker, config=data))


def encoded(config: Config) -> bytes:
    """A configuration as it travels."""
    return config.model_dump_json().encode()


async def _in_turn(pool: Pool, ask: Ask) -> tuple[Told, Told]:
    """What workers did: those that did it, and those that refused. If the first refuses, others are not asked."""
    told: list[Handle] = []
    done: Told = []
    lag: Told = []
    while left := [worker for worker in pool.up() if worker not in told]:
        told.append(left[0])
        try:
            answer = await ask(left[0])
        except Unavailable:
            # Its successor starts with what is there.
            continue
        (lag if answer.reason else done).append((left[0], answer))
        if not done:
            break
    return done, lag


def _why(refused: Told) -> tuple[str, str]:
    for _, one in refused:
        return one.reason, one.text
    return "NOT_READY", "no worker is there; they are being started again"


def _wait(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, tuple[Told, Told]]) -> tuple[Told, Told]:
    return asyncio.run_coroutine_threadsafe(work, loop).result()
