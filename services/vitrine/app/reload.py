"""Puts the bundle that lies in the folder in the place of the one that is served, or says why not."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Protocol, Self

from vitrine.app.generations import Generation, Generations
from vitrine.app.outward import outward
from vitrine.app.trim import give_back
from vitrine.app.watch import Marks, look_at
from vitrine.bundle import Bundle
from vitrine.bundle.swapping import Reloaded, Served, ServedModel
from vitrine.config import Config
from vitrine.errors import BundleError, BundleRefused, ConfigError, ConfigRefused
from vitrine.rpc.metrics import Metrics

log = logging.getLogger(__name__)


_FAILED = "it could not be made ready to serve; the server's log says why"


class _NotReady(Exception):
    """What was made does not work here; says what happened."""


class Making(Protocol):
    """Makes what is served; `vitrine.app.maker.Maker` does."""

    def load(self, folder: Path, /) -> Bundle:
        """Reads and verifies a bundle.

        Raises:
            BundleError: It is refused.
            ConfigError: The installation cannot run its models.
        """
        ...

    def make(self, bundle: Bundle | None, config: Config | None = None, /) -> Generation:
        """A generation, warmed up; by the configuration of the start unless told.

        Raises:
            ConfigError: The configuration cannot be used.
        """
        ...

    def again(self, served: Generation, config: Config, /) -> Generation:
        """Another of the same bundle, likewise."""
        ...


class Reloader:
    """Loads, verifies and warms up beside what is served, then switches. Whatever goes wrong, the old one goes on.

    Args:
        folder: The folder of the bundle; ``None`` for a process without one.
        maker: Reads the folder, and makes and warms up what is served.
        generations: What is served.
        metrics: Counts reloads and tells the version.

    Attributes:
        generations: What is served.
        folder: The folder of the bundle.
        seen: How the folder looked when it was last read, well or not.
    """

    def __init__(
        self, folder: Path | None, maker: Making, generations: Generations, metrics: Metrics
    ) -> None:
        # Absolute, so that it can be taken out of texts that leave this machine.
        self.folder = None if folder is None else folder.absolute()
        self.generations = generations
        self.seen: Marks | None = None
        self._maker = maker
        self._metrics = metrics
        self._lock = Lock()
        # The manifest whose refusal the log has.
        self._logged: object = None
        metrics.serves_bundle(generations.current.version)

    @property
    def config(self) -> Config:
        """The configuration of what is served."""
        return self.generations.current.config

    @classmethod
    def open(cls, folder: Path | None, maker: Making, metrics: Metrics) -> Self:
        """Serves the bundle of a folder, or none.

        Raises:
            BundleError: It is refused.
            ConfigError: The installation cannot run its models.
        """
        # Before it is read: what changes meanwhile is a change.
        seen = None if folder is None else look_at(folder)
        bundle = None if folder is None else maker.load(folder)
        reloader = cls(folder, maker, Generations(maker.make(bundle)), metrics)
        reloader.seen = seen
        _tell_off(reloader.generations.current)
        return reloader

    def look(self) -> Marks | None:
        """How the folder looks now; ``None`` while it is missing."""
        return None if self.folder is None else look_at(self.folder)

    def expire(self) -> None:
        """Lets go of the bundle that was replaced long enough ago; call it in the thread that reloads."""
        if self.generations.expire():
            # Not at each switch: it would hold up requests that allocate.
            give_back()

    def served(self) -> Served:
        """What is served now."""
        current, previous = self.generations.current, self.generations.previous
        return Served(
            version=current.version,
            since=current.since,
            # After a change of the configuration both are of one bundle.
            previous_version=""
            if previous is None or previous.version == current.version
            else previous.version,
            models=() if current.attached is None else _models(current.attached.bundle),
        )

    def reload(self, expected_version: str = "") -> Reloaded:
        """Switches to what lies in the folder; one thread at a time, others wait.

        Raises:
            BundleRefused: It is not switched to; its text names files as they are called in the bundle.
        """
        with self._lock:
            started = time.perf_counter()
            before = self.generations.current
            try:
                new = self._prepare(before, expected_version)
            except BundleRefused as refused:
                self._metrics.bundle_reloaded("refused")
                self._log(refused)
                raise
            seconds = time.perf_counter() - started
            if new is None:
                self._metrics.bundle_reloaded("unchanged")
                log.info("bundle %s is served already", before.version)
                return Reloaded(before.version, before.version, switched=False, seconds=seconds)
            self.generations.switch(new)
            self._metrics.bundle_reloaded("switched")
            self._metrics.serves_bundle(new.version)
            self._logged = None
            log.info(
                "serving bundle %s instead of %s (%.2f s)", new.version, before.version or "none", seconds
            )
            _tell_off(new)
            return Reloaded(new.version, before.version, switched=True, seconds=seconds)

    def use(self, config: Config) -> None:
        """Serves the same bundle by another configuration.

        Raises:
            ConfigError: The configuration cannot be used.
            ConfigRefused: What it asks for does not work here.
        """
        with self._lock:
            before = self.generations.current
            try:
                new = self._ready(before, lambda: self._maker.again(before, config))
            except _NotReady as why:
                raise ConfigRefused("NOT_READY", str(why), before.config.fingerprint) from None
            self.generations.switch(new)
            _tell_off(new)

    def _prepare(self, before: Generation, expected: str) -> Generation | None:
        """The next generation, ready; ``None`` when the folder holds what is served.

        Raises:
            BundleRefused: Anything is wrong with it.
        """
        served = before.version
        if self.folder is None:
            raise BundleRefused(
                "NO_BUNDLE", "this server was started without --bundle; restart it with one", served
            )
        self.seen = self.look()
        try:
            bundle = self._maker.load(self.folder)
            if expected and bundle.version != expected:
                raise BundleRefused(
                    "UNEXPECTED_VERSION",
                    f"the folder holds version {bundle.version} and not the expected one; copy that there first",
                    served,
                )
            if bundle.version == served:
                return None
            return self._ready(before, lambda: self._maker.make(bundle, before.config))
        except BundleRefused:
            raise
        except (BundleError, ConfigError) as error:
            said = outward(str(error), self.folder, "the bundle")
            raise BundleRefused("INVALID_BUNDLE", said, served) from None
        except _NotReady as why:
            raise BundleRefused("NOT_READY", str(why), served) from None
        except Exception:
            log.exception("a bundle could not be made ready")
            raise BundleRefused("NOT_READY", _FAILED, served) from None

    @staticmethod
    def _ready(before: Generation, make: Callable[[], Generation]) -> Generation:
        """What is made, if all works in it that worked before."""
        new = make()
        if broken := sorted(new.failing - before.failing):
            new.close(before)
            raise _NotReady(f"with it, {', '.join(broken)} failed in the warm-up; the server's log says why")
        return new

    def _log(self, refused: BundleRefused) -> None:
        """Once a manifest: what looks at it again and again would fill the log."""
        manifest = self.seen.manifest if self.seen else None
        if self._logged != (manifest, refused.reason):
            self._logged = (manifest, refused.reason)
            log.warning("%s", refused)


def _models(bundle: Bundle) -> tuple[ServedModel, ...]:
    return tuple(
        ServedModel(name, model.entry.kind, getattr(model.runner, "provider", "cpu"))
        for name, model in sorted(bundle.models.items())
    )


def _tell_off(generation: Generation) -> None:
    """Rankers and columns of plugins that are off with a bundle, in the log."""
    if generation.engine is not None:
        rankers = generation.engine.rankers
        for name, why in rankers.off.items():
            log.warning("ranker '%s' is off: %s", name, why)
        for name, why in rankers.blocks_off.items():
            log.warning("feature columns of '%s' are off: %s", name, why)
