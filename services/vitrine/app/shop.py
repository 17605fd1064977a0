"""The parts of a shop in one process, opened and closed together."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from vitrine.app.maker import Finding, Maker
from vitrine.app.reload import Reloader
from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.config import Config
from vitrine.domain.clock import Clock
from vitrine.domain.profile import DAY
from vitrine.hosting import SILENT
from vitrine.profile import Profiles
from vitrine.ranking import RankingEngine
from vitrine.retrieval import Popularity, Retriever
from vitrine.retrieval.activity import LocalActivity, PopularityKeeper
from vitrine.rpc.metrics import Metrics


class Stores:
    """The catalogue and the profiles of one directory, which belongs to this process while they are open.

    Attributes:
        catalog: The catalogue in memory.
        items: The catalogue on disk.
        profiles: The profiles and the event log.
    """

    def __init__(self, catalog: Catalog, items: CatalogStore, profiles: Profiles, closing: ExitStack) -> None:
        self.catalog = catalog
        self.items = items
        self.profiles = profiles
        self._closing = closing

    @classmethod
    def open(cls, directory: Path, config: Config, clock: Clock) -> Self:
        """Opens both stores, which are made when they are missing.

        Raises:
            ConfigError: Another server uses the directory, or it cannot be used.
        """
        with ExitStack() as opening:
            catalog = Catalog(config.seed)
            items = CatalogStore.open(directory, catalog, shop=config.shop)
            opening.callback(items.close)
            profiles = Profiles.open(directory, config, catalog.counter_keys, clock)
            opening.callback(profiles.close)
            return cls(catalog, items, profiles, opening.pop_all())

    def close(self) -> None:
        """Finishes what was accepted and lets go of the directory."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Shop:
    """Everything that one process needs to make windows: stores, models, and what works on them.

    Attributes:
        stores: Catalogue and profiles.
        reloader: The bundle that is served, and how to put another in its place.
    """

    def __init__(self, stores: Stores, reloader: Reloader) -> None:
        self.stores = stores
        self.reloader = reloader

    @classmethod
    def open(
        cls,
        directory: Path,
        bundle: Path | None,
        config: Config,
        clock: Clock,
        closing: ExitStack,
        metrics: Metrics | None = None,
    ) -> Self:
        """Opens everything; ``closing`` closes it, and ``metrics`` tells of the bundle.

        Raises:
            ConfigError: The directory cannot be used.
            BundleError: The bundle is refused.
        """
        stores = closing.enter_context(Stores.open(directory, config, clock))
        popularity = make_popularity(stores.catalog, config)
        closing.callback(PopularityKeeper(popularity, stores.items).close)
        closing.callback(LocalActivity(popularity, stores.profiles).close)
        maker = Maker(
            stores.catalog,
            config,
            clock,
            metrics or SILENT,
            finding=Finding(popularity, stores.items),
            ranks=True,
        )
        reloader = Reloader.open(bundle, maker, metrics or Metrics())
        closing.callback(reloader.generations.close)
        return cls(stores, reloader)

    @property
    def retriever(self) -> Retriever:
        """Finds candidates with the bundle that is served now."""
        return self.reloader.generations.retriever("")

    @property
    def engine(self) -> RankingEngine:
        """Orders them likewise."""
        return self.reloader.generations.engine("")


def make_popularity(catalog: Catalog, config: Config) -> Popularity:
    """Live popularity with the configured half-lives."""
    settings = config.retrieval
    return Popularity(catalog, settings.popular_half_life_days * DAY, settings.trending_half_life_days * DAY)
