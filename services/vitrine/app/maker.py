"""Makes generations: a bundle attached to the live parts of a process, and warmed up."""

import importlib
import time
from collections.abc import Container, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from vitrine.app.check import check_plugins
from vitrine.app.generations import Generation
from vitrine.bundle import AttachedBundle, Bundle, load_bundle
from vitrine.catalog import Catalog
from vitrine.catalog.searchable import Searchable
from vitrine.config import Config
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.domain.candidates import Candidates
from vitrine.domain.clock import Clock
from vitrine.domain.profile import Profile
from vitrine.domain.request import NO_CONTEXT, Context
from vitrine.hosting import SILENT, Observer, discover, run_watched
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery
from vitrine.retrieval import Popularity, RetrievalQuery, Retriever

# Candidates of a warm-up where nothing finds any, and the items that its seeds are taken from.
_CANDIDATES = 500
_SEEDS = 3
_SECONDS_FOR_LISTS = 120.0
_BROKEN = frozenset({DegradationCode.FAILED, DegradationCode.TIMEOUT})


class Finding(NamedTuple):
    """What a process that finds candidates has beside the catalogue: live popularity, and the store with the texts."""

    popularity: Popularity
    store: Searchable


class Maker:
    """Makes generations around what lives longer than any of them.

    Args:
        catalog: The catalogue.
        config: Scenes and weights at the start; what it says of models stays.
        clock: The time of warm-up calls.
        observer: Is told how plugins do.
        finding: What retrieval needs; ``None`` in a process that does not find candidates.
        ranks: Whether this process orders candidates.
    """

    def __init__(
        self,
        catalog: Catalog,
        config: Config,
        clock: Clock,
        observer: Observer = SILENT,
        *,
        finding: Finding | None,
        ranks: bool,
    ) -> None:
        self.config = config
        self._observer = observer
        self._catalog = catalog
        self._clock = clock
        self._finding = finding
        self._memory = None if finding is None else finding.store
        self._served = False
        # Found once: a package that was imported does not change while a process runs.
        self._plugins = discover(apart=config.runs_apart) if ranks else None

    def load(self, folder: Path) -> Bundle:
        """A verified bundle; raises as `load_bundle` does."""
        return load_bundle(folder, self.config.inference, memory=self._memory)

    def make(self, bundle: Bundle | None, config: Config | None = None) -> Generation:
        """A generation that has answered for every scene, and knows what failed in that.

        Args:
            bundle: The models.
            config: Scenes and weights, unless those of the start.

        Raises:
            ConfigError: The configuration tells a plugin what it does not understand.
        """
        attached = None
        if bundle is not None:
            attached = AttachedBundle(bundle, self._catalog, background=True, memory=self._memory)
        if attached is not None and self._served:
            # A start does not wait for quick searches; a switch need not make requests do so.
            attached.wait(_SECONDS_FOR_LISTS)
        self._served = True
        try:
            return self._made(attached, config or self.config, time.time())
        except BaseException:
            if attached is not None:
                attached.close()
            raise

    def again(self, served: Generation, config: Config) -> Generation:
        """Another generation of the same bundle, by another configuration; as `make`."""
        self._look_for_plugins(config)
        return self._made(served.attached, config, served.since)

    def _made(self, attached: AttachedBundle | None, config: Config, since: float) -> Generation:
        retriever = engine = None
        try:
            if self._finding is not None:
                popularity, store = self._finding
                retriever = Retriever(self._catalog, popularity, attached, config, store)
            if self._plugins is not None:
                check_plugins(config, self._plugins)
                engine = RankingEngine(self._catalog, attached, config, self._plugins, self._observer)
            failing = _failing(self._warm(config, retriever, engine), _BROKEN)
            if failing:
                # A first run prepares a device and may be too late for its budget; what fails again is broken, as is
                # what is not even called any more.
                failing &= _failing(self._warm(config, retriever, engine), _BROKEN | {DegradationCode.OFF})
        except BaseException:
            if engine is not None:
                engine.close()
            raise
        version = "" if attached is None else attached.version
        return Generation(version, config, attached, retriever, engine, since, failing)

    def _look_for_plugins(self, config: Config) -> None:
        """Takes up those that a configuration names and that were installed, or mended, since the last look."""
        if self._plugins is None:
            return
        scenes = config.scenes.values()
        named = {*config.features, *config.plugins, *(n for s in scenes for n in (*s.rankers, s.reranker))}
        working = {plugin.name: plugin for plugin in self._plugins if plugin.host is not None}
        importlib.invalidate_caches()
        found = discover(lambda name: name in named and name not in working, apart=config.runs_apart)
        kept = {plugin.name: plugin for plugin in self._plugins} | {plugin.name: plugin for plugin in found}
        self._plugins = list(kept.values())

    def _warm(
        self, config: Config, retriever: Retriever | None, engine: RankingEngine | None
    ) -> Iterator[Degradation]:
        """Calls for nobody in particular in each scene, with seeds and without; what each lacked.

        A plugin that hangs is left behind, as it is in requests.
        """
        now, ids = self._clock(), self._catalog.ids
        seeds = Context(item_ids=tuple(ids[:_SEEDS]))
        for scene in config.scenes:
            for context in (NO_CONTEXT, seeds):
                candidates = Candidates.of_items(ids[:_CANDIDATES])
                if retriever is not None:
                    found = retriever.retrieve(RetrievalQuery(now, context=context, scene=scene))
                    candidates = found.candidates
                    yield from found.degraded
                if engine is not None and len(candidates):
                    shopper = ShopperQuery(Profile(), scene, context)
                    query = RankingQuery.single(now, shopper, candidates)
                    yield from run_watched(partial(engine.rank, query)).degraded


def _failing(degraded: Iterable[Degradation], codes: Container[DegradationCode]) -> frozenset[str]:
    return frozenset(part.component for part in degraded if part.code in codes)
