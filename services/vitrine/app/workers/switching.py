"""What workers serve, and how all of them switch to something else: the first tries, then the others follow."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vitrine.app.workers.handle import Handle
from vitrine.app.workers.messages import Reloaded
from vitrine.app.workers.pool import Pool
from vitrine.bundle.image import Image
from vitrine.config import Config
from vitrine.errors import Unavailable, VitrineError

log = logging.getLogger(__name__)

T = TypeVar("T")

# How long what workers do not serve any more can be loaded: longer than a process takes to begin, and not as long as
# workers keep it themselves (`generations.KEEP_SECONDS`), so that it takes no memory of its own.
BEFORE_SECONDS = 30.0
_NOT_READY = "NOT_READY"
NOBODY = Reloaded(reason=_NOT_READY, text="no worker is there; they are being started again")


@dataclass(slots=True)
class Wanted:
    """What workers serve, and are started with.

    Attributes:
        config: The configuration.
        kept: The bundle; ``None`` for none.
        before: The one before it.
    """

    config: Config
    kept: Image | None = None
    before: Image | None = None
    _later: asyncio.TimerHandle | None = field(default=None, init=False, repr=False)

    @property
    def where(self) -> str:
        """Where workers find the bundle; empty for none."""
        return "" if self.kept is None else str(self.kept.where)

    @property
    def version(self) -> str:
        """Its version; empty for none."""
        return "" if self.kept is None else self.kept.manifest.version

    def switch(self, kept: Image | None) -> None:
        """Another bundle. The one before can still be loaded for a while, by a worker that was told of it at its start."""
        if self._later is not None:
            # It holds what it is to forget, and with it the memory of a bundle.
            self._later.cancel()
        self._forget(self.before)
        self.before, self.kept = self.kept, kept
        self._later = asyncio.get_running_loop().call_later(BEFORE_SECONDS, self._forget, self.before)

    async def catch_up(self, worker: Handle, version: str, config: bytes) -> None:
        """Has a worker that began with another bundle or configuration switch to these, however often they change meanwhile.

        Raises:
            Unavailable: It does not.
        """
        while True:
            if version != self.version:
                version = self.version
                done = await worker.reload(bundle=self.where)
            elif config != encoded(self.config):
                config = encoded(self.config)
                done = await worker.reload(config=config)
            else:
                return
            if done.reason:
                raise Unavailable(f"it does not switch to what is served: {done.text}")

    def close(self) -> None:
        """Lets go of the bundle."""
        if self.kept is not None:
            self.kept.close()

    def _forget(self, image: Image | None) -> None:
        if image is not None and image is self.before:
            image.close()
            # Its memory is given back with the last who holds it.
            self.before = None


def encoded(config: Config) -> bytes:
    """A configuration as it travels."""
    return config.model_dump_json().encode()


async def every(
    pool: Pool, *, firm: bool = False, expected: str = "", bundle: str = "", config: bytes = b""
) -> Reloaded:
    """Has workers switch in turn; what the first did. If that refuses or ends, others are not asked, unless told to be firm.

    A later one that does not do as the first did is ended and started again with what the others serve.
    """
    first: Reloaded | None = None
    told: list[object] = []
    while left := [worker for worker in pool.up() if worker not in told]:
        worker = left[0]
        told.append(worker)
        try:
            done = await worker.reload(expected=expected, bundle=bundle, config=config)
        except VitrineError as error:
            done = Reloaded(reason=_NOT_READY, text=str(error))
            log.warning("a reload failed: %s", error)
        if done.reason and (firm or first is not None):
            log.warning("worker %d is started again, it does not switch: %s", worker.number, done.text)
            worker.kill()
        elif first is None:
            first = done
            if done.reason:
                break
    return first or NOBODY


def wait(pool: Pool, work: Coroutine[Any, Any, T]) -> T:
    """What work in the event loop comes to; call it in a thread."""
    return asyncio.run_coroutine_threadsafe(work, pool.loop).result()
