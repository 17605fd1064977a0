"""Orders candidates: plugins, blend, rules, diversity, reasons. One call for a request or a batch of them."""

import itertools
import logging
import time
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from vitrine import __version__
from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.config import Config, SceneConfig
from vitrine.domain.answer import Degradation, DegradationCode, Reason, Versions
from vitrine.domain.candidates import Ranked, RankedList
from vitrine.domain.columns import names_of, plugins_in
from vitrine.domain.explanation import Explained
from vitrine.domain.plugins import Plugins
from vitrine.domain.profile import DAY
from vitrine.domain.request import NO_FILTERS, Filters
from vitrine.domain.stages import Laps
from vitrine.domain.trace import Trace
from vitrine.errors import InvalidInput, NotFound
from vitrine.hosting import DIRECT, SILENT, Calls, Leg, Observer, Plugin, Rankers, make_rankers
from vitrine.hosting.status import statuses
from vitrine.ranking.attribution import Counted, counted
from vitrine.ranking.batch import make_batch
from vitrine.ranking.explain import ReasonTeller
from vitrine.ranking.explanation import explanation
from vitrine.ranking.ordering import Orderer, Ordering
from vitrine.ranking.query import RankingQuery, ShopperQuery
from vitrine.ranking.scoring import Scored, score
from vitrine.ranking.trace import changes, trace

log = logging.getLogger(__name__)

# Of so many windows one is looked at for what each ranker changed in it, which costs about as much as ordering it.
SAMPLED = 64

_NO_REASONS = Degradation("reasons", DegradationCode.FAILED, "why items are there could not be told")


class RankingEngine:
    """Orders candidates by the pipelines of the configured scenes.

    Args:
        catalog: This process's copy of the catalogue.
        bundle: The models; ``None`` to rank by what sources say.
        config: Scenes, weights, rules.
        plugins: The plugins that were found.
        observer: Is told how they do.

    Attributes:
        rankers: The rankers made of them.
        versions: What answers are computed with.
    """

    def __init__(
        self,
        catalog: Catalog,
        bundle: AttachedBundle | None,
        config: Config,
        plugins: Sequence[Plugin],
        observer: Observer = SILENT,
    ) -> None:
        self._catalog = catalog
        self._bundle = bundle
        self._config = config
        self._found = plugins
        self._observer = observer
        self._since = time.time()
        self._windows = itertools.count()
        scenes = config.scenes.values()
        names = sorted({name for s in scenes for name in (*s.rankers, s.reranker) if name})
        blocks = (*config.features, *_contributors(bundle))
        self.rankers: Rankers = make_rankers(plugins, names, bundle, config, blocks=blocks, observer=observer)
        new_days = config.retrieval.new_arrival_days
        self._orderer = Orderer(catalog, bundle, self.rankers, new_days * DAY)
        self._teller = ReasonTeller(catalog, self.rankers, new_days)
        self.versions = Versions(
            bundle=bundle.version if bundle else "",
            server=__version__,
            config=config.fingerprint,
            plugins=tuple((name, ranker.version) for name, ranker in self.rankers.ready.items()),
        )

    def close(self) -> None:
        """Ends plugins that run in processes of their own."""
        self.rankers.close()

    def rank(self, query: RankingQuery, leg: Leg = DIRECT) -> Ranked:
        """One ordered list per query.

        Args:
            query: The candidates.
            leg: How plugins are called.

        Raises:
            InvalidInput: A scene is not configured.
        """
        laps = Laps()
        scenes = [self._scene(q, f"queries[{i}].scene") for i, q in enumerate(query.queries)]
        scored = self.score(query, scenes, leg, laps=laps)
        names, columns = scored.components
        lists, degraded, missing = [], scored.degraded, scored.degraded
        for index, (shopper, scene) in enumerate(zip(query.queries, scenes, strict=True)):
            made = self._orderer.ordering(index, shopper, scene, scored.batch, names, columns)
            laps.lap("rules")
            reasons = (
                self._reasons(index, shopper, scored, made, made.positions, degraded)
                if query.reasons
                else [Reason(None)] * len(made.positions)
            )
            laps.lap("reasons")
            scores = made.columns[made.positions]
            told = self._trace(scene, scored, made, missing) if query.trace else None
            lists.append(RankedList(made.positions, made.final, scores, reasons, told))
            if leg is not DIRECT and next(self._windows) % SAMPLED == SAMPLED - 1:
                self._count_changes(shopper, scene, scored, made)
            laps.lap("ranking")
        return Ranked(lists, names, self.versions, tuple(degraded), laps.stages)

    def explain(
        self, query: RankingQuery, item_id: str, filters: Filters = NO_FILTERS, leg: Leg = DIRECT
    ) -> Explained:
        """Why one of the candidates of a single query has its place.

        Args:
            query: One query.
            item_id: The candidate.
            filters: Those that retrieval was given, to tell which of them it does not pass.
            leg: How plugins are called.

        Raises:
            InvalidInput: The scene is not configured.
            NotFound: The item is not among the candidates.
        """
        shopper, candidates = query.queries[0], query.candidates
        scene = self._scene(shopper, "query.scene")
        if item_id not in candidates.item_ids:
            raise NotFound("item_id", f"'{item_id}' is not one of the candidates")
        place = candidates.item_ids.index(item_id)
        scored = self.score(query, [scene], leg)
        made = self._orderer.ordering(0, shopper, scene, scored.batch, *scored.components)
        degraded = scored.degraded
        (reason,) = self._reasons(0, shopper, scored, made, np.array([place], np.int64), degraded)
        texts = self._bundle.bundle.manifest.texts if self._bundle else {}
        told = explanation(
            place, shopper, scene, scored, made, self._catalog, candidates, filters, reason, degraded, texts
        )
        return Explained(told, self.versions, tuple(degraded))

    def score(
        self,
        query: RankingQuery,
        scenes: Sequence[SceneConfig],
        leg: Leg = DIRECT,
        blocks: Iterable[str] = (),
        laps: Laps | None = None,
    ) -> Scored:
        """The batch and the scores of the rankers of some scenes, rerankers last.

        Args:
            query: The candidates.
            scenes: One for each query.
            leg: How plugins are called.
            blocks: Plugins whose feature columns are wanted beside those that the rankers read.
            laps: Measures it.
        """
        batch = partial(
            make_batch, query, self._catalog, self._bundle, visit_gap=self._config.profile.visit_gap
        )
        return score(batch, scenes, Calls(self.rankers, leg), blocks, laps)

    def plugins(self) -> Plugins:
        """How the plugins fare that the scenes use."""
        return Plugins(self.versions.bundle, self._since, statuses(self.rankers, self._found, self._config))

    def _trace(
        self, scene: SceneConfig, scored: Scored, made: Ordering, missing: Sequence[Degradation]
    ) -> Trace:
        return trace(made, scene, self._orderer.ties(scored.batch, made), scored.seconds, missing)

    def _count_changes(self, query: ShopperQuery, scene: SceneConfig, scored: Scored, made: Ordering) -> None:
        ties = self._orderer.ties(scored.batch, made)
        changed = changes(made, scene, ties, scored.seconds, query.limit)
        for name, count in changed.items():
            self._observer.plugin_changed(name, count, min(query.limit, len(made.kept)))

    def _scene(self, query: ShopperQuery, field: str) -> SceneConfig:
        try:
            return self._config.scenes[query.scene]
        except KeyError:
            known = ", ".join(self._config.scenes)
            raise InvalidInput(field, f"unknown scene '{query.scene}'; configured: {known}") from None

    def _reasons(
        self,
        index: int,
        query: ShopperQuery,
        scored: Scored,
        made: Ordering,
        positions: npt.NDArray[np.int64],
        degraded: list[Degradation],
    ) -> list[Reason]:
        """Why some candidates of a query are where they are; ``positions`` count from the query's first."""
        theirs = made.start + positions
        before = len(scored.calls.degraded)
        try:
            told = counted(
                made.decided,
                scored.batch,
                theirs,
                lambda: Counted(made.names, made.shares(positions)),
                scored.calls,
            )
            return self._teller.reasons(index, query, scored.batch, theirs, told, scored.calls)
        except Exception:
            # A window without sentences is better than none.
            log.exception("reasons cannot be told")
            if _NO_REASONS not in degraded:
                degraded.append(_NO_REASONS)
            return [Reason(None)] * len(positions)
        finally:
            degraded += list(scored.calls.degraded)[before:]


def _contributors(bundle: AttachedBundle | None) -> list[str]:
    """Plugins whose columns the models of a bundle read."""
    models = () if bundle is None else bundle.bundle.models.values()
    return [plugin for model in models for plugin in plugins_in(names_of(model.entry.features))]
