"""Makes generations: a bundle attached to the live parts of a process, and warmed up."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vitrine.app.generations import Generation
from vitrine.bundle import AttachedBundle, Bundle, load_bundle
from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.config import Config
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.domain.candidates import Candidates
from vitrine.domain.clock import Clock
from vitrine.domain.profile import Profile
from vitrine.domain.request import NO_CONTEXT, Context
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery
from vitrine.ranking.plugins import discover
from vitrine.retrieval import Popularity, RetrievalQuery, Retriever

# Candidates of a warm-up where nothing finds any, and the items that its seeds are taken from.
_CANDIDATES = 500
_SEEDS = 3
_BROKEN = frozenset({DegradationCode.FAILED, DegradationCode.TIMEOUT})


class Finding(NamedTuple):
    """What a process that finds candidates has beside the catalogue: live popularity, and the store with the texts."""

    popularity: Popularity
    store: CatalogStore


class Maker:
    """Makes generations around what lives longer than any of them.

    Args:
        catalog: The catalogue.
        config: Scenes and weights.
        clock: The time of warm-up calls.
        finding: What retrieval needs; ``None`` in a process that does not find candidates.
        ranks: Whether this process orders candidates.
    """

    def __init__(
        self, catalog: Catalog, config: Config, clock: Clock, *, finding: Finding | None, ranks: bool
    ) -> None:
        self.config = config
        self._catalog = catalog
        self._clock = clock
        self._finding = finding
        # Found once: installed packages do not change while a process runs.
        self._plugins = discover() if ranks else None

    def load(self, folder: Path) -> Bundle:
        """A verified bundle; raises as `load_bundle` does."""
        return load_bundle(folder, self.config.inference)

    def make(self, bundle: Bundle | None) -> Generation:
        """A generation that has answered for every scene, and knows what failed in that."""
        attached = None if bundle is None else AttachedBundle(bundle, self._catalog)
        try:
            retriever = engine = None
            if self._finding is not None:
                popularity, store = self._finding
                retriever = Retriever(self._catalog, popularity, attached, self.config, store)
            if self._plugins is not None:
                engine = RankingEngine(self._catalog, attached, self.config, self._plugins)
            failing = self._warm(retriever, engine)
            if failing:
                # A first run prepares a device and may be too late for its budget; what fails again is broken.
                failing = self._warm(retriever, engine)
        except BaseException:
            if attached is not None:
                attached.close()
            raise
        version = "" if bundle is None else bundle.version
        return Generation(version, attached, retriever, engine, time.time(), failing)

    def _warm(self, retriever: Retriever | None, engine: RankingEngine | None) -> frozenset[str]:
        """Components that failed or were late in calls for every scene; what is off or empty is another matter."""
        degraded = self._calls(retriever, engine)
        return frozenset(part.component for part in degraded if part.code in _BROKEN)

    def _calls(self, retriever: Retriever | None, engine: RankingEngine | None) -> Iterator[Degradation]:
        """Calls for nobody in particular in each scene, with seeds and without; what each lacked."""
        now, ids = self._clock(), self._catalog.ids
        seeds = Context(item_ids=tuple(ids[:_SEEDS]))
        for scene in self.config.scenes:
            for context in (NO_CONTEXT, seeds):
                candidates = Candidates.of_items(ids[:_CANDIDATES])
                if retriever is not None:
                    found = retriever.retrieve(RetrievalQuery(now, context=context, scene=scene))
                    candidates = found.candidates
                    yield from found.degraded
                if engine is not None and len(candidates):
                    shopper = ShopperQuery(Profile(), scene, context)
                    yield from engine.rank(RankingQuery.single(now, shopper, candidates)).degraded
