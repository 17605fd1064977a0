"""Another bundle or configuration for an owner and all its workers."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from vitrine.app.outward import outward
from vitrine.app.reload import Reloader
from vitrine.app.watch import Marks, look_at
from vitrine.app.workers.messages import Reloaded
from vitrine.app.workers.pool import Pool
from vitrine.app.workers.switching import NOBODY, Wanted, encoded, every, wait
from vitrine.bundle import swapping
from vitrine.bundle.image import Image
from vitrine.config import Config
from vitrine.errors import BundleError, BundleRefused, ConfigRefused
from vitrine.rpc.metrics import Metrics

log = logging.getLogger(__name__)


class EveryBundle:
    """Follows `vitrine.bundle.swapping.Swapping` and `vitrine.app.watch.Watched`, for all workers.

    Args:
        folder: The folder of the bundle.
        keep: Makes what workers load of the folder; called in a thread.
        wanted: Is told of another bundle.
        pool: The workers.
        metrics: Counts reloads and tells the version.
        seen: How the folder looked before it was read: what changes meanwhile is a change.

    Attributes:
        seen: How the folder looked when it was last read, well or not; not yet when a worker was not ready for the first time.
    """

    def __init__(
        self,
        folder: Path | None,
        keep: Callable[[Path], Image],
        wanted: Wanted,
        pool: Pool,
        metrics: Metrics,
        seen: Marks | None,
    ) -> None:
        self._folder = folder
        self._keep = keep
        self._wanted = wanted
        self._pool = pool
        self._metrics = metrics
        self.seen = seen
        # How it looked when it was not ready in a worker for the first time.
        self._again: Marks | None = None
        metrics.serves_bundle(self.version)

    @property
    def version(self) -> str:
        """The bundle that is served; empty for none."""
        return self._wanted.version

    def look(self) -> Marks | None:
        """How the folder looks now; ``None`` while it is missing."""
        return None if self._folder is None else look_at(self._folder)

    def served(self) -> swapping.Served:
        """What is served now, as far as the owner knows; a worker knows more (`Method.GET_BUNDLE`)."""
        return swapping.Served(self.version, 0.0, "", ())

    def reload(self, expected_version: str = "") -> swapping.Reloaded:
        """As `Swapping.reload`; call it in a thread. All workers that are up then serve the same."""
        before, started = self.version, time.perf_counter()
        try:
            if not self._pool.up():
                # The folder is not read, and so looked at again.
                raise BundleRefused(NOBODY.reason, NOBODY.text, before)
            last, self.seen = self.seen, self.look()
            kept = None if self._folder is None else self._keep(self._folder)
            done = wait(self._pool, self._switch(kept, expected_version))
            if done.reason:
                if done.reason == NOBODY.reason and self._again != self.seen:
                    # Its worker may have ended for something else: once more, it is looked at again.
                    self._again, self.seen = self.seen, last
                raise BundleRefused(done.reason, done.text, before)
        except BundleRefused:
            self._metrics.bundle_reloaded("refused")
            raise
        except BundleError as error:
            self._metrics.bundle_reloaded("refused")
            refused = BundleRefused("INVALID_BUNDLE", outward(str(error), self._folder, "the bundle"), before)
            log.warning("%s", refused)
            raise refused from None
        self._metrics.bundle_reloaded("switched" if done.switched else "unchanged")
        self._metrics.serves_bundle(self.version)
        return swapping.Reloaded(self.version, before, done.switched, time.perf_counter() - started)

    async def _switch(self, kept: Image | None, expected: str) -> Reloaded:
        try:
            done = await every(self._pool, expected=expected, bundle="" if kept is None else str(kept.where))
            if done.switched:
                # Nothing was awaited since the last worker: one that is ready now has not missed it.
                self._wanted.switch(kept)
                kept = None
            return done
        finally:
            if kept is not None:
                kept.close()


class EveryConfig:
    """Follows `vitrine.app.reconfigure.Using`, for the owner and all workers.

    Args:
        own: What the owner makes windows with while no worker is there; its configuration follows when all have it.
        wanted: Is told of another configuration.
        pool: The workers.
    """

    def __init__(self, own: Reloader, wanted: Wanted, pool: Pool) -> None:
        self._own = own
        self._wanted = wanted
        self._pool = pool

    @property
    def config(self) -> Config:
        """The one that is used now."""
        return self._own.config

    def use(self, config: Config) -> None:
        """As `Using.use`; where the owner refuses what workers took, these take the old one back. Call it in a thread."""
        before = self._own.config
        done = wait(self._pool, self._switch(config))
        if done.reason:
            raise ConfigRefused(done.reason, done.text, before.fingerprint)
        try:
            self._own.use(config)
        except BaseException:
            wait(self._pool, self._switch(before, firm=True))
            raise

    async def _switch(self, config: Config, *, firm: bool = False) -> Reloaded:
        done = await every(self._pool, firm=firm, config=encoded(config))
        if firm or not done.reason:
            # Nothing was awaited since the last worker: one that is ready now has not missed it.
            self._wanted.config = config
        return done
