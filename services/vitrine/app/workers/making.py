"""Makes what a worker works with: the catalogue read from the owner's file, popularity, models."""

from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from vitrine.api.profile.v1 import profile_pb2
from vitrine.app.maker import Finding, Maker
from vitrine.app.reload import Reloader
from vitrine.app.shop import make_popularity
from vitrine.app.workers.given import GivenClock
from vitrine.app.workers.messages import Activity, Start
from vitrine.catalog import Catalog
from vitrine.catalog.mirror import CatalogMirror
from vitrine.config import Config
from vitrine.errors import BundleError
from vitrine.retrieval import Popularity
from vitrine.rpc.metrics import Metrics
from vitrine.wire.profiles import activity_from_proto


@dataclass(frozen=True, slots=True)
class Made:
    """What a worker works with.

    Attributes:
        mirror: The catalogue.
        popularity: Fed with the owner's activity.
        reloader: The bundle.
        clock: The owner's.
    """

    mirror: CatalogMirror
    popularity: Popularity
    reloader: Reloader
    clock: GivenClock

    @classmethod
    def of(cls, start: Start, metrics: Metrics) -> "Made":
        """Makes it; takes seconds.

        Raises:
            ConfigError: The store cannot be read, or the configuration cannot be used.
            BundleError: The bundle is refused.
        """
        if start.bundle and not Path(start.bundle).exists():
            raise BundleError("its bundle was replaced while it started")
        config, clock = Config.model_validate_json(start.config), GivenClock(start.now)
        catalog = Catalog(config.seed)
        mirror = CatalogMirror(Path(start.store), catalog, config.shop)
        popularity = make_popularity(catalog, config)
        popularity.restore(start.cursor, start.popular)
        maker = Maker(catalog, config, clock, metrics, finding=Finding(popularity, mirror), ranks=True)
        folder = Path(start.bundle) if start.bundle else None
        return cls(mirror, popularity, Reloader.open(folder, maker, metrics), clock)


class Following:
    """Keeps catalogue and popularity as new as the owner says, one thing after the other in one thread.

    What comes before they are made waits for them.

    Args:
        thread: The thread.
    """

    def __init__(self, thread: Executor) -> None:
        self._thread = thread
        self._made: Made | None = None
        self._early: list[Activity] = []
        self._revision = 0

    def made(self, made: Made) -> None:
        """They are there."""
        self._made = made
        early, self._early = self._early, []
        for activity in early:
            self.activity(activity)
        self.changed(self._revision)

    def activity(self, activity: Activity) -> None:
        """There is new activity."""
        made = self._made
        if made is None:
            self._early.append(activity)
            return

        def feed() -> None:
            message = profile_pb2.WatchActivityResponse.FromString(activity.data)
            made.popularity.feed(activity_from_proto(message))

        self._thread.submit(feed)

    def changed(self, revision: int) -> None:
        """The catalogue has a new revision."""
        self._revision = max(self._revision, revision)
        if self._made is not None and self._made.mirror.catalog.revision < self._revision:
            self._thread.submit(self._made.mirror.refresh, self._revision)
