"""Puts the bundle that lies in the folder in the place of the one that is served, or says why not."""

import logging
import re
import time
from pathlib import Path
from threading import Lock
from typing import Protocol, Self

from vitrine.app.generations import Generation, Generations
from vitrine.app.trim import give_back
from vitrine.app.watch import Marks, look_at
from vitrine.bundle import Bundle
from vitrine.bundle.swapping import Reloaded, Served, ServedModel
from vitrine.errors import BundleError, BundleRefused, ConfigError
from vitrine.rpc.metrics import Metrics

log = logging.getLogger(__name__)

_INTERNAL = re.compile(r"(?<![\w./])/(?:[^\s/;:,'\")]+/)+[^\s;:,'\")]*|(?<=hostname=)[^\s;]+")


class Making(Protocol):
    """Makes what is served; `vitrine.app.maker.Maker` does."""

    def load(self, folder: Path, /) -> Bundle:
        """Reads and verifies a bundle.

        Raises:
            BundleError: It is refused.
            ConfigError: The installation cannot run its models.
        """
        ...

    def make(self, bundle: Bundle | None, /) -> Generation:
        """A generation, warmed up."""
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
            previous_version="" if previous is None else previous.version,
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
        self.seen = look_at(self.folder)
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
            new = self._maker.make(bundle)
        except BundleRefused:
            raise
        except (BundleError, ConfigError) as error:
            raise BundleRefused("INVALID_BUNDLE", self._without_paths(str(error)), served) from None
        except Exception:
            log.exception("a bundle could not be made ready")
            said = "it could not be made ready to serve; the server's log says why"
            raise BundleRefused("NOT_READY", said, served) from None
        if broken := sorted(new.failing - before.failing):
            new.close()
            said = f"with it, {', '.join(broken)} failed in the warm-up; the server's log says why"
            raise BundleRefused("NOT_READY", said, served)
        return new

    def _without_paths(self, text: str) -> str:
        folder = str(self.folder)
        named = text.replace(f"{folder}/", "").replace(folder, "the bundle")
        # What a library says of a device or a model may name files and the host.
        return _INTERNAL.sub("…", named)

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
    """Rankers that are off with a bundle, in the log."""
    if generation.engine is not None:
        for name, why in generation.engine.rankers.off.items():
            log.warning("ranker '%s' is off: %s", name, why)
