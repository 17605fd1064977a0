"""The simulated shoppers and how their tastes change."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine_export.simulate.catalog import Bools, Catalog
from vitrine_export.simulate.clock import DAY, Clock, draw_in
from vitrine_export.simulate.vocabulary import Floats, Ints, Vocabulary

SLOTS = 5
SHARE_ANONYMOUS, SHARE_LIFE_EVENT = 0.12, 0.06
DRIFT_DAYS = 220.0
VISITS_PER_DAY = 0.1


@dataclass(frozen=True)
class Shoppers:
    """S shoppers; each has `SLOTS` tastes, before (0) and after (1) each taste changes.

    Attributes:
        anonymous: ``bool[S]``.
        chinese: ``bool[S]``, prefers titles in Chinese.
        level: ``float32[S]``, price level.
        style: ``float32[S, 6]``, liking of each style.
        leaf: ``int64[2, S, SLOTS]``.
        brand: ``int64[2, S, SLOTS]``, favourite brand for that leaf.
        weight: ``float64[S, SLOTS]``, falling.
        change: ``int64[S, SLOTS]``, when a taste changes; after the window for most.
        joined: ``int64[S]``.
        visits: ``int64[S]``, visits in the window.
    """

    anonymous: Bools
    chinese: Bools
    level: npt.NDArray[np.float32]
    style: npt.NDArray[np.float32]
    leaf: Ints
    brand: Ints
    weight: Floats
    change: Ints
    joined: Ints
    visits: Ints

    def taste(self, shopper: Ints, slot: Ints, time: Ints) -> tuple[Ints, Ints]:
        """Leaf and favourite brand that a taste of a shopper means at a time."""
        era = (time >= self.change[shopper, slot]).astype(np.int64)
        return self.leaf[era, shopper, slot], self.brand[era, shopper, slot]


def build(v: Vocabulary, catalog: Catalog, shoppers: int, clock: Clock, rng: np.random.Generator) -> Shoppers:
    """Invents the shoppers."""
    anonymous = rng.random(shoppers) < SHARE_ANONYMOUS
    leaf = np.stack([_tastes(v, catalog, shoppers, rng) for _ in range(2)])
    change = clock.start + (rng.exponential(DRIFT_DAYS, (shoppers, SLOTS)) * DAY).astype(np.int64)
    _live(v, catalog, leaf[1], change, clock, rng)
    late = rng.random(shoppers) < 0.3
    joined = np.where(late, clock.uniform(shoppers, rng), clock.start)
    # A few shoppers make most of the visits.
    rate = VISITS_PER_DAY * rng.lognormal(-0.5, 1.0, shoppers) * np.where(anonymous, 0.25, 1.0)
    visits = rng.poisson(rate * (clock.end - joined) / DAY)
    style = rng.normal(0.0, 0.4, (shoppers, 6)).astype(np.float32)
    style[np.arange(shoppers), rng.integers(0, 6, shoppers)] += 1.5
    return Shoppers(
        anonymous=anonymous,
        chinese=rng.random(shoppers) < 1 / 3,
        level=rng.normal(0.0, 0.9, shoppers).astype(np.float32),
        style=style,
        leaf=leaf,
        brand=v.brands.draw(v.category[leaf.ravel()], rng).reshape(leaf.shape),
        weight=rng.dirichlet(np.array([8.0, 5.0, 3.0, 2.0, 1.0]), shoppers),
        change=change,
        joined=joined,
        visits=np.maximum(visits, 1),
    )


def _tastes(v: Vocabulary, catalog: Catalog, shoppers: int, rng: np.random.Generator) -> Ints:
    """Leaves that a shopper likes, most of them in two favourite categories: ``int64[S, SLOTS]``."""
    cumulative = np.concatenate([[0.0], np.cumsum(catalog.demand)])
    weight = cumulative[v.first_leaf[1:]] - cumulative[v.first_leaf[:-1]]
    favourites = rng.choice(len(weight), (shoppers, 2), p=weight / weight.sum())
    category = favourites[np.arange(shoppers)[:, None], rng.integers(0, 2, (shoppers, SLOTS))].ravel()
    anywhere = rng.random(category.shape) < 0.2
    low = np.where(anywhere, 0, v.first_leaf[category])
    high = np.where(anywhere, len(v.leaves), v.first_leaf[category + 1])
    return draw_in(cumulative, low, high, rng).reshape(shoppers, SLOTS)


def _live(
    v: Vocabulary, catalog: Catalog, later: Ints, change: Ints, clock: Clock, rng: np.random.Generator
) -> None:
    """Life events: the three strongest tastes of some shoppers change at once, to one theme."""
    cumulative = np.concatenate([[0.0], np.cumsum(catalog.demand)])
    event = rng.integers(0, len(v.life_events), len(later))
    when = clock.uniform(len(later), rng)
    concerned = rng.random(len(later)) < SHARE_LIFE_EVENT
    for number, categories in enumerate(v.life_events):
        who = np.flatnonzero(concerned & (event == number))
        for slot in range(3):
            top = categories[slot % len(categories)]
            low, high = v.first_leaf[top], v.first_leaf[top + 1]
            if cumulative[high] > cumulative[low]:
                ones = np.ones(len(who), dtype=np.int64)
                later[who, slot] = draw_in(cumulative, ones * low, ones * high, rng)
                change[who, slot] = when[who]
