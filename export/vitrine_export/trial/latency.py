"""How long a plugin takes, by number of candidates, against what it declared."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np

from vitrine.app.combine import combine
from vitrine.app.offline import Answer, OfflineShop
from vitrine.config import Config
from vitrine.domain.candidates import Candidates
from vitrine.domain.columns import contributed_name
from vitrine.features import Features
from vitrine.hosting import Hosted, Missing, Rankers
from vitrine.hosting.hosted import BUDGET_ROWS
from vitrine.plugin import Batch
from vitrine.progress import Progress
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery
from vitrine.recommendation.query import WindowQuery
from vitrine_export.trial.faults import PluginFault

SIZES = (10, 100, 300, 1_000, 3_000)
# Enough for a p99, and no longer than this for one size.
_CALLS, _SECONDS, _FEWEST = 300, 1.5, 5
_PATIENCE_SECONDS = 30.0
# Different calls that take turns, so that no cache of a processor flatters.
_TURNS = 6


@dataclass(frozen=True, slots=True)
class Latency:
    """Time of one call.

    Attributes:
        part: "ranker" or "features".
        candidates: How many it was given.
        shoppers: Of how many shoppers.
        calls: How often it was timed.
        median_ms: Median.
        p99_ms: 99th percentile; the largest of fewer than 100 calls.
        budget_ms: What it may take.
    """

    part: str
    candidates: int
    shoppers: int
    calls: int
    median_ms: float
    p99_ms: float
    budget_ms: float

    @property
    def within(self) -> bool:
        """Whether it keeps to its budget."""
        return self.p99_ms <= self.budget_ms


def latencies(
    engine: RankingEngine,
    shop: OfflineShop,
    config: Config,
    name: str,
    queries: Sequence[WindowQuery],
    progress: Progress,
) -> list[Latency]:
    """Times the calls of one plugin on the candidates of real shoppers.

    A call with more candidates than a shopper has is a batch of several shoppers. Feature columns are made anew for
    each call, as for each request; those that the plugin asks for count as its time.

    Args:
        engine: With the plugin, as a server has it.
        shop: Finds the candidates; of the same catalogue and models.
        config: The scenes.
        name: The plugin.
        queries: Whose candidates, and for which windows.
        progress: Told how far it is.

    Raises:
        PluginFault: It failed; says with how many candidates.
    """
    found = [answer for answer in shop.answers(queries) if len(answer.retrieved.candidates)]
    rankers = engine.rankers
    parts = [
        (part, hosted[name], method)
        for part, hosted, method in (
            ("ranker", rankers.hosted, "score"),
            ("features", rankers.hosted_blocks, "compute"),
        )
        if name in hosted
    ]
    rows = []
    for step, size in enumerate(SIZES if found else ()):
        progress(f"{size:,} candidates", step / len(SIZES))
        asked = [_query(found[i:] + found[:i], size, shop.now) for i in range(min(_TURNS, len(found)))]
        # As the plugin finds them: with the scores of those that it reads.
        batches = [
            engine.score(query, [config.scenes[shopper.scene] for shopper in query.queries]).batch
            for query in asked
        ]
        for part, hosted, method in parts:
            milliseconds = _times(hosted, method, [_Fresh(batch, shop, rankers) for batch in batches])
            median, p99 = np.percentile(milliseconds, [50, 99], method="higher").tolist()
            most = 1000 * hosted.budget * max(1.0, size / BUDGET_ROWS)
            shoppers = len(asked[0].queries)
            rows.append(Latency(part, size, shoppers, len(milliseconds), median, p99, most))
    return rows


def _query(answers: Sequence[Answer], size: int, now: float) -> RankingQuery:
    """So many candidates, of as many shoppers as it takes; the same shopper again where there are too few."""
    shoppers: list[ShopperQuery] = []
    parts: list[Candidates] = []
    left = size
    for answer in cycle(answers):
        part = _first(answer.retrieved.candidates, left)
        query = answer.query
        shoppers.append(ShopperQuery(answer.profile, query.scene, query.context, query.limit))
        parts.append(part)
        left -= len(part)
        if left <= 0:
            break
    candidates, offsets = combine(parts)
    return RankingQuery(now, tuple(shoppers), candidates, offsets)


def _first(candidates: Candidates, count: int) -> Candidates:
    """The first candidates, which sources found in this order."""
    return Candidates(
        candidates.item_ids[:count],
        candidates.source_names,
        candidates.masks[:count],
        candidates.scores[:count],
        candidates.popularity[:count],
        candidates.trend[:count],
    )


class _Fresh:
    """A batch whose feature columns nobody has asked for yet, as often as it is wanted."""

    def __init__(self, batch: Batch, shop: OfflineShop, rankers: Rankers) -> None:
        self._batch = batch
        self._shop = shop
        self._contributed = {
            plugin: {c.name: batch.features.column(contributed_name(plugin, c.name)) for c in block.columns}
            for plugin, block in rankers.blocks.items()
        }

    def batch(self) -> Batch:
        """One more."""
        features = Features(self._batch, self._shop.memory.store.catalog, self._shop.bundle)
        for plugin, columns in self._contributed.items():
            features.put(plugin, columns)
        return replace(self._batch, features=features)


def _times(hosted: Hosted, method: str, batches: Sequence[_Fresh]) -> list[float]:
    """Milliseconds of each call."""
    took: list[float] = []
    began = time.monotonic()
    for turn, fresh in zip(range(-len(batches), _CALLS), cycle(batches), strict=False):
        batch = fresh.batch()
        start = time.perf_counter()
        # In a process of its own it would be ended at the end of its budget, and here is to be seen how long it takes.
        answer = hosted.attempt(method, batch, check=_anything, seconds=_PATIENCE_SECONDS)
        seconds = time.perf_counter() - start
        if isinstance(answer, Missing):
            raise PluginFault(
                f"{hosted.component} failed with {len(batch.items.ids):,} candidates: {answer.message}"
            )
        # The first ones warm up, where they do not take all of the time.
        if turn >= 0 or seconds > _SECONDS / _FEWEST:
            took.append(1000 * seconds)
        if len(took) >= _FEWEST and time.monotonic() - began > _SECONDS:
            break
    return took


def _anything(answer: object) -> str:
    """What it answers was looked at when lists were made."""
    del answer
    return ""
