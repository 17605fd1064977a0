"""Visits to the simulated shop: who comes when, what for, and which items are looked at."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine_export.simulate.catalog import Bools, Catalog
from vitrine_export.simulate.choice import pick
from vitrine_export.simulate.clock import SECOND, Clock, draw_in, gumbel, months
from vitrine_export.simulate.shoppers import SLOTS, Shoppers
from vitrine_export.simulate.vocabulary import Ints, Vocabulary

SHARE_EXPLORING, SHARE_SIDE_STEP, SHARE_LOOKING_AGAIN = 0.08, 0.08, 0.12


@dataclass(frozen=True)
class Steps:
    """N looks at items, those of one visit next to each other and in order.

    Attributes:
        visit: ``int64[N]``.
        first: ``bool[N]``, the first look of its visit.
        again: ``bool[N]``, at the same item as just before.
        shopper: ``int64[N]``.
        brand: ``int64[N]``, the brand liked most then; -1 for none.
        time: ``int64[N]``.
        item: ``int64[N]``.
        others: ``int64[N, 2]``, what was listed beside it; -1 for nothing.
        utility: ``float32[N]``, what the item is worth to the shopper.
    """

    visit: Ints
    first: Bools
    again: Bools
    shopper: Ints
    brand: Ints
    time: Ints
    item: Ints
    others: Ints
    utility: npt.NDArray[np.float32]


def build(
    v: Vocabulary, catalog: Catalog, shoppers: Shoppers, clock: Clock, rng: np.random.Generator
) -> Steps:
    """Lets every shopper come and look."""
    who = np.repeat(np.arange(len(shoppers.visits)), shoppers.visits)
    start = clock.visits(shoppers.joined[who], rng)
    slot = _intents(v, catalog, shoppers, who, start, rng)
    length = rng.geometric(0.25, len(who)).clip(1, 20)
    visit = np.repeat(np.arange(len(who)), length)
    first = np.concatenate([[True], visit[1:] != visit[:-1]])
    gaps = rng.exponential(45.0, len(visit)) * SECOND
    elapsed = np.cumsum(gaps)
    time = start[visit] + (elapsed - elapsed[first][visit]).astype(np.int64)
    shopper = who[visit]
    aside = rng.random(len(visit)) < SHARE_SIDE_STEP
    leaf, brand = shoppers.taste(
        shopper, np.where(aside, rng.integers(0, SLOTS, len(visit)), slot[visit]), time
    )
    leaf, brand = _explore(
        v, catalog, leaf, brand, (rng.random(len(who)) < SHARE_EXPLORING)[visit], start[visit], rng
    )
    item, others, utility = pick(catalog, shoppers, shopper, leaf, brand, time, rng)
    again = (rng.random(len(visit)) < SHARE_LOOKING_AGAIN) & ~first
    before = np.flatnonzero(again) - 1
    item[again], utility[again], others[again] = item[before], utility[before], -1
    there = item >= 0
    return Steps(
        visit=visit[there],
        first=first[there],
        again=again[there],
        shopper=shopper[there],
        brand=brand[there],
        time=time[there],
        item=item[there],
        others=others[there],
        utility=utility[there],
    )


def _intents(
    v: Vocabulary, catalog: Catalog, shoppers: Shoppers, who: Ints, start: Ints, rng: np.random.Generator
) -> Ints:
    """Which taste each visit is about: by its weight and the season."""
    every = np.broadcast_to(np.arange(SLOTS), (len(who), SLOTS))
    leaf, _ = shoppers.taste(who[:, None], every, start[:, None])
    wanted = shoppers.weight[who] * v.season[leaf, months(start)[:, None]] * (catalog.demand[leaf] > 0)
    return np.asarray(np.argmax(np.log(wanted + 1e-9) + gumbel(wanted.shape, rng), axis=1), dtype=np.int64)


def _explore(
    v: Vocabulary,
    catalog: Catalog,
    leaf: Ints,
    brand: Ints,
    exploring: Bools,
    time: Ints,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:
    """Sends some looks to any leaf, by demand and season, without a favourite brand."""
    leaf, brand = leaf.copy(), np.where(exploring, -1, brand)
    month = months(time)
    for number in range(12):
        rows = np.flatnonzero(exploring & (month == number))
        cumulative = np.concatenate([[0.0], np.cumsum(catalog.demand * v.season[:, number])])
        low = np.zeros(len(rows), dtype=np.int64)
        leaf[rows] = draw_in(cumulative, low, low + len(v.leaves), rng)
    return leaf, brand
