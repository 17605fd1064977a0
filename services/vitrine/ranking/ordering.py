"""Orders the candidates of one query: the weighted blend or the reranker, rules, caps, diversity, newcomers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.config import SceneConfig
from vitrine.hosting import RankerFacts, Rankers
from vitrine.plugin import Batch
from vitrine.ranking.blend import normalise, order, spread
from vitrine.ranking.caps import caps_of, within_caps
from vitrine.ranking.diversity import diversify
from vitrine.ranking.newcomers import are_newcomers, by_turns, with_newcomers
from vitrine.ranking.query import ShopperQuery
from vitrine.ranking.rules import Shown, forbidden_rows

# Diversity looks at this many times the wanted items: enough to choose from, few enough to compare in pairs.
DIVERSITY_POOL = 4


@dataclass(frozen=True, slots=True)
class Ordering:
    """The n candidates of one query on their way into a window. Positions count from the query's first candidate.

    Attributes:
        start: Where the query's candidates begin in the batch.
        names: The c components: rankers by name, sources as ``source:NAME``.
        columns: ``float32[n, c]``, their scores; NaN for nothing to say.
        weights: ``float32[c]``, what each counts in the blend.
        decided: The reranker that gave the order; ``None`` where the weights did.
        total: ``float32[n]``, what the order follows.
        kept: ``int64[k]``, positions that the rules allow.
        ranked: ``int64[r]``, those by falling total, within the caps on brands and categories.
        diverse: ``int64[m]``, the first of them, after diversity.
        positions: ``int64[m]``, the window: the same with newcomers.
        final: ``float32[m]``, final scores of the window.
    """

    start: int
    names: tuple[str, ...]
    columns: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    decided: RankerFacts | None
    total: npt.NDArray[np.float32]
    kept: npt.NDArray[np.int64]
    ranked: npt.NDArray[np.int64]
    diverse: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    final: npt.NDArray[np.float32]

    def shares(self, positions: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.float32]:
        """``float32[m, c]``: the scores of some candidates, or of all, weighted and on one scale."""
        return normalise(self.columns, positions) * self.weights

    def put_in(self, place: int) -> bool:
        """Whether a candidate has its place in the window because it is a newcomer: nothing else moves up."""
        window, before = self.positions.tolist(), self.diverse.tolist()
        return place in window and (place not in before or window.index(place) < before.index(place))


class Orderer:
    """Orders lists by what was said of their candidates.

    Args:
        catalog: Tells what may be sold, and decides between equal scores.
        bundle: Its content vectors keep a window diverse.
        rankers: The rankers.
        new_seconds: How long an item is new.
    """

    def __init__(
        self, catalog: Catalog, bundle: AttachedBundle | None, rankers: Rankers, new_seconds: float
    ) -> None:
        self._catalog = catalog
        self._bundle = bundle
        self._rankers = rankers
        self._new_seconds = new_seconds

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
        decided = None
        said = own[:, names.index(scene.reranker)] if scene.reranker in names else None
        if said is not None and not np.isnan(said).all():
            decided = self._rankers.ready[scene.reranker]
            total = spread(said)
        else:
            total = (normalise(own) * weights).sum(axis=1, dtype=np.float32)
            if not total.any():
                # Nothing that the scene weighs has a say (a stand-in for an empty source, say): as found.
                total = np.linspace(1, 0, len(total), endpoint=False, dtype=np.float32)

        kept = self._kept(query, scene, batch, start, end)
        rows = batch.items.rows[start:end]
        ranked = kept[order(total[kept], self._catalog.tie.take(rows[kept]))]
        for cap in caps_of(batch.items, start, end, scene.rules):
            if cap.most:
                ranked = ranked[within_caps(cap.codes[ranked], cap.most)]
        diverse, final = self._diverse(ranked, total, rows, scene, query.limit)
        positions = diverse
        if every := scene.rules.newcomer_every:
            new = are_newcomers(batch.items, start, end, batch.request_time, self._new_seconds)
            newcomers = ranked[new[ranked]]
            # By the weights: a reranker learned from items that somebody had turned to.
            blend = (normalise(own, newcomers) * weights).sum(axis=1, dtype=np.float32)
            ties = by_turns(self._catalog.tie[rows[newcomers]], batch.request_time)
            best = newcomers[order(blend, ties)]
            positions, final = with_newcomers(diverse, final, best, every)
        return Ordering(start, names, own, weights, decided, total, kept, ranked, diverse, positions, final)

    def ties(self, batch: Batch, made: Ordering) -> npt.NDArray[np.uint64]:
        """``uint64[n]``: what decides between equal scores of a query's candidates; 0 of those that are not known here."""
        rows, tie = batch.items.rows[made.start : made.start + len(made.total)], self._catalog.tie
        return np.where(rows >= 0, tie[rows], np.uint64(0)) if len(tie) else np.zeros(len(rows), np.uint64)

    def _kept(
        self, query: ShopperQuery, scene: SceneConfig, batch: Batch, start: int, end: int
    ) -> npt.NDArray[np.int64]:
        """Positions that the rules allow; an item that this catalogue does not know cannot be vouched for."""
        rows = batch.items.rows[start:end]
        sellable = self._catalog.sellable
        keep = (rows >= 0) & sellable.take(rows) if len(sellable) else np.zeros(len(rows), np.bool_)
        # By row: identifiers of candidates are not looked up before they are shown.
        shown = Shown(query.profile, query.context, scene.rules, batch.request_time)
        forbidden = np.sort(forbidden_rows(shown, self._catalog))
        if len(forbidden):
            # `numpy.isin` takes several times as long.
            keep &= forbidden.take(forbidden.searchsorted(rows), mode="clip") != rows
        return keep.nonzero()[0]

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
        picked, values = diversify(total[pool], vectors.take(rows[pool], axis=0), scene.diversity, limit)
        return pool[picked], values
