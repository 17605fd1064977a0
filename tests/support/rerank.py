"""A scene with a reranker over eight candidates of whom different things are true."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pluggy

from tests.support.shop import items
from vitrine import plugin as contract
from vitrine.catalog import Catalog
from vitrine.config import SceneConfig, load_config
from vitrine.domain.answer import ReasonCode
from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import DAY, Counters, ItemHistory, Profile
from vitrine.domain.request import NO_CONTEXT, Context
from vitrine.hosting import Plugin
from vitrine.plugin import Batch, LoadContext, Ranker, Scores, hookimpl
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery

NOW = 1_000 * DAY
LIST = tuple(f"i{n}" for n in range(8))
SOURCES = ("popular", "trending", "new_arrivals", "search")


class Reranker:
    """Orders by falling number of the item, and tells nothing of how."""

    name, version, budget_ms = "lightgbm", "test", 5000.0
    reason: ReasonCode | None = None

    def score(self, batch: Batch) -> Scores:
        """See `Ranker`."""
        return np.array([float(i[1:]) for i in batch.items.ids], np.float32)


def make_engine(
    reranker: Ranker | None,
    *,
    weights: Mapping[str, float] | None = None,
    rules: Mapping[str, object] | None = None,
    out_of_stock: Sequence[int] = (),
) -> RankingEngine:
    """An engine with the scene "home" over ten items; `i3` came in yesterday, the others long ago."""
    scene = SceneConfig.model_validate(
        {
            "sources": dict.fromkeys(SOURCES, 10),
            "weights": dict(weights or {"source:popular": 1.0}),
            "reranker": reranker.name if reranker else "",
            "rules": dict(rules or {}),
        }
    )
    catalog = Catalog()
    made = items(10, out_of_stock=out_of_stock)
    catalog.apply([msgspec.structs.replace(i, created=_created(n)) for n, i in enumerate(made)], 1)
    config = load_config().model_copy(update={"scenes": {"home": scene}})
    return RankingEngine(catalog, None, config, [_plugin(reranker)] if reranker else [])


def shopper() -> Profile:
    """Bought i0 four times and i1 once, looked at i2, hid i8."""
    n = 4
    return Profile(
        event_count=12,
        first_time=NOW - 100 * DAY,
        last_time=NOW - DAY,
        purchase_days=4,
        items=ItemHistory(
            item_ids=("i0", "i1", "i2", "i8"),
            last_time=np.full(n, NOW - DAY),
            last_purchase=np.array([NOW - 9 * DAY, NOW - 20 * DAY, 0, 0]),
            views=np.array([6.0, 1, 3, 1]),
            in_cart=np.zeros(n),
            purchases=np.array([4.0, 1, 0, 0]),
            quantity=np.array([4.0, 1, 0, 0]),
            long_term=np.array([9.0, 3, 2, 1]),
            short_term=np.array([1.0, 0, 1, 0]),
            rating=np.full(n, np.nan, np.float32),
            opinion=np.array([0, 0, 0, -1], np.int8),
        ),
        brands=Counters(),
    )


def window_of(
    who: Profile, context: Context = NO_CONTEXT, *, limit: int = 20, more: Sequence[str] = ()
) -> RankingQuery:
    """Asks for the window; ``more`` items come as candidates of no source."""
    ids = [*LIST, *more]
    scores = np.full((len(ids), len(SOURCES)), np.nan, np.float32)
    for source, item in (("popular", 4), ("trending", 4), ("new_arrivals", 3), ("search", 6)):
        scores[item, SOURCES.index(source)] = 1.0
    # A source that stands in for others also brings what is not new.
    scores[7, SOURCES.index("new_arrivals")] = 0.5
    popularity = np.zeros(len(ids), np.float32)
    popularity[[4, 5]] = 0.05, 0.6
    trend = np.zeros(len(ids), np.float32)
    # Rising from nothing to next to nothing is no trend.
    trend[[4, 7]] = 2.0, 8.0
    masks = (~np.isnan(scores) @ (1 << np.arange(len(SOURCES), dtype=np.uint32))).astype(np.uint32)
    candidates = Candidates(ids, SOURCES, masks, scores, popularity, trend)
    return RankingQuery.single(NOW, ShopperQuery(who, "home", context, limit), candidates)


def _created(number: int) -> float:
    return NOW - DAY if number == 3 else NOW - 400 * DAY


def _plugin(ranker: Ranker) -> Plugin:
    class Module:
        @hookimpl
        def vitrine_make_ranker(self, load: LoadContext) -> Ranker:
            del load
            return ranker

    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(Module())
    return Plugin(ranker.name, "test 1.0", host)
