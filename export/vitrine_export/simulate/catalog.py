"""The simulated shop's items as columns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine_export.simulate.clock import DAY, Clock, draw_in
from vitrine_export.simulate.vocabulary import Floats, Ints, Vocabulary

Bools = npt.NDArray[np.bool_]
NEVER = np.iinfo(np.int64).max
SHARE_CHINESE = 1 / 3
# Exponents of Zipf's law: how much more the first leaf, or the first item of a leaf, is wanted than the others.
ZIPF_LEAF, ZIPF_ITEM = 0.35, 0.7


@dataclass(frozen=True)
class Catalog:
    """I items, those of one leaf next to each other; times in microseconds.

    Attributes:
        leaf: ``int64[I]``.
        first_item: ``int64[L + 1]``, where a leaf's items begin.
        demand: ``float64[L]``, how much a leaf is wanted; 0 where it has no item.
        brand: ``int64[I]``, into `Vocabulary.brands`.
        style: ``int64[I]``, 0 to 5.
        adjective: ``int64[I]``, into `Vocabulary.styles`.
        detail: ``int64[I]``, into `Vocabulary.details`.
        noun: ``int64[I]``, into `Vocabulary.nouns`.
        variant: ``int64[I]``, into `Vocabulary.variants`.
        chinese: ``bool[I]``, titled in Chinese.
        price: ``int64[I]``, micros.
        level: ``float32[I]``, standard deviations of log price from the leaf's median.
        quality: ``float32[I]``, standard normal; shows in ratings and in what is bought.
        cumulative: ``float64[I + 1]``, sums of popularity, skewed within each leaf (Zipf).
        created: ``int64[I]``.
        away: ``int64[I]``, start of an interval without stock.
        back: ``int64[I]``, its end.
        gone: ``int64[I]``, when it is discontinued; `NEVER` mostly.
        companion: ``int64[I]``, an item that is often bought with it; -1 where there is none.
        discount: ``float64[L, weeks]``, share off the price by week of the window.
    """

    leaf: Ints
    first_item: Ints
    demand: Floats
    brand: Ints
    style: Ints
    adjective: Ints
    detail: Ints
    noun: Ints
    variant: Ints
    chinese: Bools
    price: Ints
    level: npt.NDArray[np.float32]
    quality: npt.NDArray[np.float32]
    cumulative: Floats
    created: Ints
    away: Ints
    back: Ints
    gone: Ints
    companion: Ints
    discount: Floats

    def sold_at(self, item: Ints, time: Ints) -> Bools:
        """Whether each item is there and in stock at each time."""
        absent = (time >= self.away[item]) & (time < self.back[item])
        return (self.created[item] <= time) & (time < self.gone[item]) & ~absent


def build(vocabulary: Vocabulary, items: int, clock: Clock, rng: np.random.Generator) -> Catalog:
    """Invents the items."""
    v, leaves = vocabulary, len(vocabulary.leaves)
    demand = rng.permutation(np.arange(1, leaves + 1)) ** -ZIPF_LEAF
    counts = _counts(items, leaves, rng)
    demand[counts == 0] = 0.0
    leaf = np.repeat(np.arange(leaves), counts)
    category = v.category[leaf]
    first_item = np.concatenate([[0], np.cumsum(counts)])
    brand, style = v.brands.draw(category, rng), rng.integers(0, 6, items)
    luxury = rng.standard_normal((v.brands.words.shape[1],))
    level = 0.7 * luxury[brand] + 0.7 * (style == 5) + 0.6 * rng.standard_normal(items)
    quality = rng.standard_normal(items).astype(np.float32)
    rank = np.arange(items) - first_item[leaf]
    popularity = (1.0 + rank) ** -ZIPF_ITEM * np.exp(0.3 * quality)
    cumulative = np.concatenate([[0.0], np.cumsum(popularity)])
    created, away, back, gone = _lives(items, clock, rng)
    return Catalog(
        leaf=leaf,
        first_item=first_item,
        demand=demand / demand.sum(),
        brand=brand,
        style=style,
        adjective=v.styles.draw(style, rng),
        detail=v.details.draw(category, rng),
        noun=v.nouns.draw(leaf, rng),
        variant=v.variants.draw(leaf, rng),
        chinese=rng.random(items) < SHARE_CHINESE,
        price=_prices(v.price[leaf] * np.exp(0.45 * level)),
        level=level.astype(np.float32),
        quality=quality,
        cumulative=cumulative,
        created=created,
        away=away,
        back=back,
        gone=gone,
        companion=_companions(v, leaf, first_item, cumulative, rng),
        discount=rng.choice([0.0, 0.1, 0.2, 0.3], (leaves, clock.days // 7 + 1), p=[0.85, 0.06, 0.06, 0.03]),
    )


def _counts(items: int, leaves: int, rng: np.random.Generator) -> Ints:
    """Items per leaf: few leaves in a tiny shop, uneven in any."""
    used = min(leaves, max(1, items // 4))
    weights = np.zeros(leaves)
    weights[rng.permutation(leaves)[:used]] = rng.gamma(4.0, size=used)
    first = (weights > 0).astype(np.int64)
    return first + rng.multinomial(items - used, weights / weights.sum())


def _prices(plain: Floats) -> Ints:
    """Prices as shops write them: 12.99, 149, 1,290; in micros."""
    cents = np.where(
        plain < 100, np.floor(plain) * 100 + 99, np.where(plain < 1000, np.round(plain) * 100, 0)
    )
    cents = np.where(plain >= 1000, np.round(plain / 10) * 1000, cents)
    return cents.astype(np.int64) * 10_000


def _lives(items: int, clock: Clock, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Ints]:
    """When items come, run out, come back and go."""
    new = rng.random(items) < 0.2
    old = clock.start - (rng.random(items) * 730 * DAY).astype(np.int64)
    created = np.where(new, clock.uniform(items, rng), old)
    away = np.where(rng.random(items) < 0.25, clock.uniform(items, rng), NEVER)
    length = (rng.exponential(8.0, items) * DAY).astype(np.int64)
    back = np.where(away < NEVER, np.minimum(away, clock.end) + length, NEVER)
    gone = np.where(rng.random(items) < 0.03, clock.uniform(items, rng), NEVER)
    return created, away, back, gone


def _companions(
    v: Vocabulary, leaf: Ints, first_item: Ints, cumulative: Floats, rng: np.random.Generator
) -> Ints:
    """For each item of a leaf with companions, one item of a companion leaf."""
    options = v.companions[leaf]
    second = (options[:, 1] >= 0) & (rng.random(len(leaf)) < 0.5)
    target = np.where(second, options[:, 1], options[:, 0])
    some = (target >= 0) & (first_item[target] < first_item[target + 1])
    companion = np.full(len(leaf), -1, dtype=np.int64)
    low, high = first_item[target[some]], first_item[target[some] + 1]
    companion[some] = draw_in(cumulative, low, high, rng)
    return companion
