"""Puts what the configuration file says now in the place of what is served, or says why not."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from vitrine.app.changes import fixed_changes
from vitrine.app.check import RANKS, wrong_names
from vitrine.app.outward import outward
from vitrine.app.watch import Mark, mark_of
from vitrine.config import Config, load_config, read_config
from vitrine.errors import ConfigError, ConfigRefused
from vitrine.rpc.metrics import Metrics

log = logging.getLogger(__name__)

_NOT_READY = "NOT_READY"


class Using(Protocol):
    """What works by a configuration: `vitrine.app.reload.Reloader`, or a `Standing` one."""

    @property
    def config(self) -> Config:
        """The one that is used now."""
        ...

    def use(self, config: Config, /) -> None:
        """Makes ready what another asks for, and switches to it; it is not used unless all of that works.

        Raises:
            ConfigError: It cannot be used here.
        """
        ...


class Standing:
    """The configuration of a process that makes nothing of it in advance: who needs it asks anew for each request."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def use(self, config: Config) -> None:
        """Switches to another."""
        self.config = config


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """What a reload did: the fingerprints after and before it, whether they differ, and how many seconds it took."""

    fingerprint: str
    previous_fingerprint: str
    switched: bool
    seconds: float


class ConfigReloader:
    """Reads the file again. Whatever goes wrong, the old configuration goes on.

    Args:
        path: The file; ``None`` for a server on the defaults.
        service: What is served, as `check_config` takes it.
        using: What works by it.
        metrics: Counts reloads and tells the fingerprint.

    Attributes:
        since: Since when the configuration is used, Unix seconds.
        seen: How the file looked when it was last read, well or not; not yet when what it says was not ready for the first
            time.
    """

    def __init__(self, path: Path | None, service: str, using: Using, metrics: Metrics) -> None:
        # Absolute, so that it can be taken out of texts that leave this machine.
        self._path = None if path is None else path.absolute()
        self._service = service
        self._using = using
        self._metrics = metrics
        self._lock = Lock()
        # How the file whose refusal the log has looked, and the reason.
        self._logged: object = None
        # How it looked when what it says was not ready for the first time.
        self._again: Mark | None = None
        self.since = time.time()
        self.seen: Mark | None = self.look()
        metrics.serves_config(using.config.fingerprint)
        if not self._is_served():
            # It changed while the server started.
            self.seen = None

    @property
    def config(self) -> Config:
        """What is used now."""
        return self._using.config

    @property
    def description(self) -> str:
        """Where it comes from, in words."""
        return "the defaults" if self._path is None else "a file over the defaults"

    def look(self) -> Mark | None:
        """How the file looks now; ``None`` when there is none."""
        return None if self._path is None else mark_of(self._path)

    def reload(self, expected_fingerprint: str = "") -> Reconfigured:
        """Switches to what the file says; one thread at a time, others wait.

        Args:
            expected_fingerprint: Switch to this configuration or not at all; "" for whatever is there.

        Raises:
            ConfigRefused: It is not switched to, and why; without paths.
        """
        with self._lock:
            started, last = time.perf_counter(), self.seen
            before = self._using.config.fingerprint
            try:
                new = self._read(expected_fingerprint)
                if new is not None:
                    self._use(new)
            except ConfigRefused as refused:
                self._metrics.config_reloaded("refused")
                if self._logged != (self.seen, refused.reason):
                    self._logged = (self.seen, refused.reason)
                    log.warning("%s", refused)
                if refused.reason == _NOT_READY and self._again != self.seen:
                    # A worker that was to try it may have ended for something else: once more, it is looked at again.
                    self._again, self.seen = self.seen, last
                raise
            seconds = time.perf_counter() - started
            self._logged = None
            if new is None:
                self._metrics.config_reloaded("unchanged")
                log.info("configuration %s is served already", before)
                return Reconfigured(before, before, switched=False, seconds=seconds)
            self.since = time.time()
            self._metrics.config_reloaded("switched")
            self._metrics.serves_config(new.fingerprint)
            log.info("serving by configuration %s instead of %s (%.2f s)", new.fingerprint, before, seconds)
            return Reconfigured(new.fingerprint, before, switched=True, seconds=seconds)

    def _read(self, expected: str) -> Config | None:
        """What the file says; ``None`` when that is served already."""
        served = self._using.config
        if self._path is None:
            raise ConfigRefused(
                "NO_CONFIG",
                "this server was started without --config; restart it with one",
                served.fingerprint,
            )
        self.seen = self.look()
        try:
            config, wrong = read_config(self._path)
        except ConfigError as error:
            raise self._refused("INVALID_CONFIG", str(error)) from None
        wrong += wrong_names(config, ranks=self._service in RANKS)
        if wrong:
            raise self._refused("INVALID_CONFIG", "; ".join(wrong))
        if expected and config.fingerprint != expected:
            said = f"the file's fingerprint is {config.fingerprint} and not the expected one; copy that there first"
            raise self._refused("UNEXPECTED_FINGERPRINT", said)
        if config.fingerprint == served.fingerprint:
            return None
        if fixed := fixed_changes(served, config):
            said = (
                f"{', '.join(fixed)} cannot change while the server runs; restart the server, or put it back"
            )
            raise self._refused("NEEDS_RESTART", said)
        return config

    def _use(self, config: Config) -> None:
        try:
            self._using.use(config)
        except ConfigRefused:
            raise
        except ConfigError as error:
            raise self._refused("INVALID_CONFIG", str(error)) from None
        except Exception:
            log.exception("a configuration could not be made ready")
            said = "it could not be made ready to serve; the server's log says why"
            raise self._refused(_NOT_READY, said) from None

    def _refused(self, reason: str, text: str) -> ConfigRefused:
        return ConfigRefused(reason, outward(text, self._path, "the file"), self._using.config.fingerprint)

    def _is_served(self) -> bool:
        if self._path is None:
            return True
        try:
            return load_config(self._path).fingerprint == self._using.config.fingerprint
        except ConfigError:
            return False
