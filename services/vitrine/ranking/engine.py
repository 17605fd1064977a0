"""Orders candidates: plugins, blend, rules, diversity, reasons. One call for a request or a batch of them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from vitrine import __version__
from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.config import Config, SceneConfig
from vitrine.domain.answer import Degradation, DegradationCode, Reason, Versions
from vitrine.domain.candidates import Ranked, RankedList
from vitrine.domain.explanation import Explained
from vitrine.domain.request import NO_FILTERS, Filters
from vitrine.errors import InvalidInput, NotFound, Timeout
from vitrine.plugin import Batch, Ranker, Scores
from vitrine.ranking.attribution import Counted, counted
from vitrine.ranking.batch import make_batch
from vitrine.ranking.blend import normalise, order, spread
from vitrine.ranking.diversity import diversify
from vitrine.ranking.explain import explain
from vitrine.ranking.explanation import explanation
from vitrine.ranking.ordering import Ordering
from vitrine.ranking.plugins import Plugin, Rankers, make_rankers
from vitrine.ranking.query import RankingQuery, ShopperQuery
from vitrine.ranking.rules import forbidden_items, within_caps

log = logging.getLogger(__name__)

# Diversity looks at this many times the wanted items: enough to choose from, few enough to compare in pairs.
DIVERSITY_POOL = 4

_NO_REASONS = Degradation("reasons", DegradationCode.FAILED, "why items are there could not be told")


@dataclass(frozen=True, slots=True)
class Scored:
    """A batch, what each ranker says of its candidates, and which could not."""

    batch: Batch
    scores: Mapping[str, Scores]
    degraded: list[Degradation]

    @property
    def components(self) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
        """Names of rankers and, as ``source:NAME``, of sources, and their scores ``float32[n, c]``."""
        sources = self.batch.source_names
        columns = np.column_stack([*self.scores.values(), self.batch.source_scores])
        return (*self.scores, *(f"source:{s}" for s in sources)), columns.astype(np.float32, copy=False)


class RankingEngine:
    """Orders candidates by the pipelines of the configured scenes.

    Args:
        catalog: This process's copy of the catalogue.
        bundle: The models; ``None`` to rank by what sources say.
        config: Scenes, weights, rules.
        plugins: The plugins that were found.

    Attributes:
        rankers: The rankers made of them.
        versions: What answers are computed with.
    """

    def __init__(
        self, catalog: Catalog, bundle: AttachedBundle | None, config: Config, plugins: Sequence[Plugin]
    ) -> None:
        self._catalog = catalog
        self._bundle = bundle
        self._config = config
        scenes = config.scenes.values()
        names = sorted({name for s in scenes for name in (*s.rankers, s.reranker) if name})
        settings = {name: table.model_dump() for name, table in config.plugins.items()}
        self.rankers: Rankers = make_rankers(plugins, names, bundle, settings)
        self.versions = Versions(
            bundle=bundle.version if bundle else "",
            server=__version__,
            config=config.fingerprint,
            plugins=tuple((name, ranker.version) for name, ranker in self.rankers.ready.items()),
        )

    def rank(self, query: RankingQuery) -> Ranked:
        """One ordered list per query.

        Raises:
            InvalidInput: A scene is not configured.
        """
        scenes = [self._scene(q, f"queries[{i}].scene") for i, q in enumerate(query.queries)]
        scored = self.score(query, scenes)
        names, columns = scored.components
        lists = [
            self._list(q, query.queries[q], scene, scored.batch, names, columns, scored.degraded)
            for q, scene in enumerate(scenes)
        ]
        return Ranked(lists, names, self.versions, tuple(scored.degraded))

    def explain(self, query: RankingQuery, item_id: str, filters: Filters = NO_FILTERS) -> Explained:
        """Why one of the candidates of a single query has its place.

        Args:
            query: One query.
            item_id: The candidate.
            filters: Those that retrieval was given, to tell which of them it does not pass.

        Raises:
            InvalidInput: The scene is not configured.
            NotFound: The item is not among the candidates.
        """
        shopper, candidates = query.queries[0], query.candidates
        scene = self._scene(shopper, "query.scene")
        if item_id not in candidates.item_ids:
            raise NotFound("item_id", f"'{item_id}' is not one of the candidates")
        place = candidates.item_ids.index(item_id)
        scored = self.score(query, [scene])
        batch, degraded = scored.batch, list(scored.degraded)
        made = self.ordering(0, shopper, scene, batch, *scored.components)
        (reason,) = self.reasons(0, shopper, batch, made, np.array([place], np.int64), degraded)
        told = explanation(
            place, shopper, scene, batch, made, self._catalog, candidates, filters, reason, degraded
        )
        return Explained(told, self.versions, tuple(degraded))

    def score(self, query: RankingQuery, scenes: Sequence[SceneConfig]) -> Scored:
        """The batch and the scores of the rankers of some scenes, rerankers last.

        Args:
            query: The candidates.
            scenes: One for each query.
        """
        rerankers = dict.fromkeys(scene.reranker for scene in scenes if scene.reranker)
        rankers = dict.fromkeys(name for scene in scenes for name in scene.rankers if name not in rerankers)
        scores: dict[str, Scores] = {}
        degraded: list[Degradation] = []
        batch = make_batch(query, self._catalog, self._bundle, MappingProxyType(scores))
        for name in (*self.rankers.in_order(rankers), *self.rankers.in_order(rerankers)):
            self._score(name, batch, scores, degraded)
        return Scored(batch, scores, degraded)

    def _scene(self, query: ShopperQuery, field: str) -> SceneConfig:
        try:
            return self._config.scenes[query.scene]
        except KeyError:
            known = ", ".join(self._config.scenes)
            raise InvalidInput(field, f"unknown scene '{query.scene}'; configured: {known}") from None

    def _score(self, name: str, batch: Batch, scores: dict[str, Scores], degraded: list[Degradation]) -> None:
        """Adds the scores of one ranker, or tells why there are none."""
        component, code = f"ranker:{name}", DegradationCode.FAILED
        ranker = self.rankers.ready.get(name)
        if ranker is None:
            degraded.append(Degradation(component, DegradationCode.OFF, self.rankers.off[name]))
            return
        try:
            column = ranker.score(batch)
            problem = _problem(column, len(batch.items.ids))
        except Timeout:
            log.warning("ranker '%s' did not answer in time", name)
            problem, code = "the ranker did not answer within its time budget", DegradationCode.TIMEOUT
        except Exception:
            log.exception("ranker '%s' failed", name)
            problem = "the ranker failed"
        if problem:
            degraded.append(Degradation(component, code, problem))
        else:
            # Rankers that follow see it, and must not change it.
            column = column.view()
            column.flags.writeable = False
            scores[name] = column

    def _list(
        self,
        index: int,
        query: ShopperQuery,
        scene: SceneConfig,
        batch: Batch,
        names: tuple[str, ...],
        columns: npt.NDArray[np.float32],
        degraded: list[Degradation],
    ) -> RankedList:
        made = self.ordering(index, query, scene, batch, names, columns)
        return RankedList(
            positions=made.positions,
            scores=made.final,
            component_scores=made.columns[made.positions],
            reasons=self.reasons(index, query, batch, made, made.positions, degraded),
        )

    def ordering(
        self,
        index: int,
        query: ShopperQuery,
        scene: SceneConfig,
        batch: Batch,
        names: tuple[str, ...],
        columns: npt.NDArray[np.float32],
    ) -> Ordering:
        """How the candidates of one query are ordered; ``columns`` are the scores of the whole batch by name."""
        start, end = int(batch.offsets[index]), int(batch.offsets[index + 1])
        own = columns[start:end]
        weights = np.array([scene.weights.get(name, 0.0) for name in names], np.float32)
        shares = normalise(own) * weights
        total = shares.sum(axis=1, dtype=np.float32)
        decided = None
        said = own[:, names.index(scene.reranker)] if scene.reranker in names else None
        if said is not None and not np.isnan(said).all():
            decided = self.rankers.ready[scene.reranker]
            total = spread(said)
        elif not total.any():
            # Nothing that the scene weighs has a say (a stand-in for an empty source, say): keep the order as found.
            total = np.linspace(1, 0, len(total), endpoint=False, dtype=np.float32)

        kept = self._kept(query, scene, batch, start, end)
        rows = batch.items.rows[start:end]
        ranked = kept[order(total[kept], self._catalog.tie[rows[kept]])]
        for codes, cap in (
            (batch.items.brand, scene.rules.max_per_brand),
            (batch.items.category, scene.rules.max_per_category),
        ):
            if cap:
                ranked = ranked[within_caps(codes[start:end][ranked], cap)]
        positions, final = self._diverse(ranked, total, rows, scene, query.limit)
        return Ordering(start, names, own, shares, decided, total, kept, ranked, positions, final)

    def reasons(
        self,
        index: int,
        query: ShopperQuery,
        batch: Batch,
        made: Ordering,
        positions: npt.NDArray[np.int64],
        degraded: list[Degradation],
    ) -> list[Reason]:
        """Why some candidates of a query are where they are; ``positions`` count from the query's first."""
        theirs = made.start + positions
        blended = Counted(made.names, made.shares[positions])
        try:
            return explain(
                index,
                query,
                batch,
                theirs,
                counted(made.decided, batch, theirs, blended),
                self.rankers,
                self._catalog,
                self._config.retrieval.new_arrival_days,
            )
        except Exception:
            # A window without sentences is better than none.
            log.exception("reasons cannot be told")
            if _NO_REASONS not in degraded:
                degraded.append(_NO_REASONS)
            return [Reason(None)] * len(positions)

    def _kept(
        self, query: ShopperQuery, scene: SceneConfig, batch: Batch, start: int, end: int
    ) -> npt.NDArray[np.int64]:
        """Positions that the rules allow; an item that this catalogue does not know cannot be vouched for."""
        rows = batch.items.rows[start:end]
        sellable = self._catalog.sellable
        keep = (rows >= 0) & sellable[rows] if len(sellable) else np.zeros(len(rows), np.bool_)
        forbidden = forbidden_items(query.profile, query.context, scene.rules, batch.request_time)
        if forbidden:
            keep &= ~np.isin(rows, self._catalog.rows(list(forbidden)))
        return np.flatnonzero(keep)

    def _diverse(
        self,
        ranked: npt.NDArray[np.int64],
        total: npt.NDArray[np.float32],
        rows: npt.NDArray[np.int32],
        scene: SceneConfig,
        limit: int,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        vectors = self._bundle.content if self._bundle else None
        if scene.diversity == 0 or vectors is None:
            return ranked[:limit], total[ranked[:limit]]
        pool = ranked[: limit * DIVERSITY_POOL]
        pool = pool[rows[pool] < len(vectors)]
        picked, values = diversify(total[pool], vectors[rows[pool]], scene.diversity, limit)
        return pool[picked], values


def _problem(column: object, length: int) -> str:
    """What is wrong with a ranker's answer; empty when nothing is."""
    if not isinstance(column, np.ndarray) or column.dtype != np.float32:
        return "the ranker's answer is not a float32 array"
    if column.shape != (length,):
        return f"the ranker answered shape {column.shape} for {length} candidates"
    if np.isinf(column).any():
        return "the ranker answered an infinite score"
    return ""


__all__ = ["Ranker", "RankingEngine"]
