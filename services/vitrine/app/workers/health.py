"""What health says of workers and of the plugins in them."""

from vitrine.app.every import Every
from vitrine.app.parts import BUNDLE, RANKING, RETRIEVAL
from vitrine.app.plugin_watch import Telling
from vitrine.app.workers.plugins import merged_parts
from vitrine.app.workers.pool import Pool

WATCH_SECONDS = 0.5


class WorkerHealth:
    """Answers ``worker:N`` for each worker, and for each part of a plugin as it is where it fares worst.

    Without any worker that talks no service serves that needs one; windows are made all the same, and say what they lack.

    Args:
        pool: The workers.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._known: set[str] = set()
        self._health: Telling | None = None
        self._every = Every(WATCH_SECONDS, self.look, "looking at the workers")

    async def start(self, health: Telling) -> None:
        """Tells it now, and again when it changes."""
        self._health = health
        await self.look()
        self._every.start()

    async def close(self) -> None:
        """Ends it."""
        await self._every.close()

    async def look(self) -> None:
        """Looks once."""
        if self._health is None:
            return
        up = self._pool.talking()
        for number in self._pool.restarts:
            await self._health.tell(f"worker:{number}", serving=self._pool.workers[number] in up)
        for service in (RANKING, RETRIEVAL, BUNDLE):
            await self._health.tell(service, serving=bool(up))
        parts = merged_parts(worker.beat.parts for worker in up)
        for name, on in parts.items():
            await self._health.tell(name, serving=on)
        if up:
            for name in self._known - parts.keys():
                await self._health.tell(name, serving=None)
            self._known = set(parts)
