"""What a server is told on the command line."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from vitrine.config import Config


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the other services are when they do not run in this process."""

    profile: str = "localhost:50052"
    retrieval: str = "localhost:50053"
    ranking: str = "localhost:50054"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What to serve, with what, and where.

    Attributes:
        service: "all", "profile", "retrieval", "ranking" or "recommendation".
        config: The configuration.
        config_file: The file that it was read from; ``None`` for the defaults alone.
        watch_config: Whether to read that file again when it changes.
        bundle: The trained models; ``None`` for none.
        watch_bundle: Whether to put another bundle that appears in that folder in its place.
        store: Directory of the stores that the served services own.
        host: The interface to listen on.
        port: The port to listen on; 0 for any.
        metrics_port: The port of ``/metrics`` on the same interface; 0 for any, ``None`` for no metrics.
        as_of: The moment at which the clock starts, Unix seconds; ``None`` for the system's time.
        freeze_clock: Whether the clock stands still at ``as_of``.
        workers: Processes that find and order candidates; with 1, this one does so itself.
        addresses: Where the other services are.
        grace: Seconds that calls in flight have at the end.
    """

    service: str
    config: Config
    config_file: Path | None = None
    watch_config: bool = True
    bundle: Path | None = None
    watch_bundle: bool = True
    store: Path = Path("store")
    host: str = "127.0.0.1"
    port: int = 50051
    metrics_port: int | None = None
    as_of: float | None = None
    freeze_clock: bool = False
    workers: int = 1
    addresses: Addresses = field(default_factory=Addresses)
    grace: float = 5.0

    @property
    def threads(self) -> int:
        """Requests that one of several workers works on at once."""
        return max(2, (os.cpu_count() or 1) // self.workers)
