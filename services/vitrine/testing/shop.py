"""A small shop in memory, always the same, and batches of its windows made by the code that serves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from vitrine.app.combine import combine
from vitrine.bundle import AttachedBundle, load_bundle
from vitrine.catalog import Catalog
from vitrine.domain.candidates import Candidates
from vitrine.domain.request import NO_CONTEXT, Context
from vitrine.plugin import Batch, Scores
from vitrine.ranking.batch import make_batch
from vitrine.ranking.query import RankingQuery, ShopperQuery
from vitrine.testing.goods import NOW, SEED, items, shoppers

ITEMS = 3_200
# So many of them, at most, are items of the bundle; the others are newer than it.
_OF_BUNDLE = 1_200
SOURCES = ("bought_again", "co_visitation", "content", "popular", "new_arrivals")


@dataclass(frozen=True, slots=True)
class Window:
    """One request to a ranker: who asks, in view of what, and the candidates."""

    query: ShopperQuery
    candidates: Candidates

    def permuted(self, order: npt.NDArray[np.int64]) -> "Window":
        """The same candidates in another order: ``order[i]`` is the old place of the i-th."""
        old = self.candidates
        ids = [old.item_ids[i] for i in order.tolist()]
        columns = (old.masks[order], old.scores[order], old.popularity[order], old.trend[order])
        return Window(self.query, Candidates(ids, old.source_names, *columns))


class SmallShop:
    """3,200 items, seven kinds of shoppers, and the windows that they ask for.

    Args:
        bundle: A bundle for plugins that need one: every other item is one of the bundle's, as far as they go, and
            the rest are newer than it; ``None`` for none.

    Attributes:
        catalog: The items.
        bundle: The bundle, seen through the catalogue.
        shoppers: Profiles by kind (`vitrine.testing.goods.shoppers`).
    """

    def __init__(self, bundle: Path | None = None) -> None:
        self.catalog = Catalog()
        loaded = None if bundle is None else load_bundle(bundle)
        ids = [] if loaded is None else list(loaded.item_ids[:_OF_BUNDLE])
        self.catalog.apply(items(ITEMS, ids), 1)
        self.bundle = None if loaded is None else AttachedBundle(loaded, self.catalog)
        self.shoppers = shoppers(self.catalog)
        # Rows of items that neither the bundle nor the buyer has met: nobody can tell those from their twins.
        met = self.catalog.rows(self.shoppers["buyer"].items.item_ids)
        self._fresh = np.setdiff1d(np.arange(2 * len(ids) + 1, ITEMS, 2), met)

    def window(
        self, shopper: str, count: int, *, about: str = "", unknown: int = 0, variant: int = 0
    ) -> Window:
        """A window with some candidates, among them, if need be, things that the shopper knows.

        Args:
            shopper: A kind of shopper.
            count: How many candidates; at most 3,200 and the unknown ones.
            about: What the window is about: "" for the front page, "item", "basket", or "search".
            unknown: So many of the candidates are items that the catalogue does not know.
            variant: Other candidates for another number.
        """
        rng = np.random.default_rng([SEED, count, variant, *shopper.encode()])
        rows = rng.permutation(ITEMS)
        known = self.catalog.rows(self.shoppers[shopper].items.item_ids)
        bought = known[known >= 0][: max(count // 4, 0)]
        rows = np.concatenate([bought, rows[~np.isin(rows, bought)]])[: count - unknown]
        ids = [self.catalog.ids[row] for row in rng.permutation(rows).tolist()]
        ids += [f"unknown-{n}" for n in range(unknown)]
        seeds = tuple(self.catalog.ids[row] for row in rng.integers(ITEMS, size=2).tolist())
        context = {
            "": NO_CONTEXT,
            "item": Context(item_ids=seeds[:1], locale="en"),
            "basket": Context(basket=(*seeds, "unknown-0")),
            "search": Context(query="红色 mug", locale="zh"),
        }[about]
        scene = {"": "home", "item": "item_page", "basket": "cart", "search": "search"}[about]
        query = ShopperQuery(self.shoppers[shopper], scene, context)
        return Window(query, _found(ids, rng))

    def batch(self, windows: Sequence[Window], after: Iterable[str] = ()) -> Batch:
        """The batch of some windows, as a server makes it.

        Args:
            windows: The requests.
            after: Names of rankers that have answered before, with something made up.
        """
        candidates, offsets = combine([w.candidates for w in windows])
        query = RankingQuery(NOW, tuple(w.query for w in windows), candidates, offsets)
        rows = self.catalog.rows(candidates.item_ids)
        scores = {name: _made_up(name, rows) for name in after}
        return make_batch(query, self.catalog, self.bundle, MappingProxyType(scores))

    def twins(self, after: Iterable[str] = (), pairs: int = 30) -> Batch:
        """A batch in which candidate i and candidate ``pairs + i`` differ in their identifier and in nothing else."""
        rng = np.random.default_rng([SEED, pairs])
        ids = [self.catalog.ids[row] for row in rng.choice(self._fresh, pairs, replace=False).tolist()]
        found = _found(ids, rng)
        doubled = Window(ShopperQuery(self.shoppers["buyer"], "home"), found).permuted(
            np.tile(np.arange(pairs), 2)
        )
        batch = self.batch([doubled], after)
        others = [*ids, *(f"{item_id}-twin" for item_id in ids)]
        return replace(batch, items=replace(batch.items, ids=others))


@lru_cache(maxsize=2)
def small_shop(bundle: Path | None = None) -> SmallShop:
    """The shop; it is made once for each bundle."""
    return SmallShop(bundle)


def _found(ids: list[str], rng: np.random.Generator) -> Candidates:
    """The candidates as sources that found about a third of them each would tell."""
    n = len(ids)
    scores = rng.random((n, len(SOURCES))).astype(np.float32)
    scores[rng.random(scores.shape) > 0.35] = np.nan
    # Something found each.
    scores[np.isnan(scores).all(axis=1), SOURCES.index("popular")] = 0.01
    masks = (~np.isnan(scores) @ (1 << np.arange(len(SOURCES)))).astype(np.uint32)
    popularity = rng.beta(0.5, 5, n).astype(np.float32)
    trend = rng.normal(0, 1, n).astype(np.float32)
    trend[rng.random(n) < 0.1] = np.nan
    return Candidates(ids, SOURCES, masks, scores, popularity, trend)


def _made_up(name: str, rows: npt.NDArray[np.int32]) -> Scores:
    """What a ranker that came before might have said: something for most items, always the same."""
    rng = np.random.default_rng([SEED, *name.encode()])
    table = rng.normal(0, 1, ITEMS + 1).astype(np.float32)
    table[rng.random(ITEMS + 1) < 0.1] = np.nan
    # An unknown item has row −1: the last cell.
    table[-1] = np.nan
    scores = table[rows]
    scores.flags.writeable = False
    return scores
