"""Which item a shopper picks: a discrete choice among a few candidates drawn by popularity."""

import numpy as np
import numpy.typing as npt

from vitrine_export.simulate.catalog import Bools, Catalog
from vitrine_export.simulate.clock import DAY, draw_in, gumbel
from vitrine_export.simulate.shoppers import Shoppers
from vitrine_export.simulate.vocabulary import Ints

CANDIDATES = 8
CHUNK = 200_000
NOISE = np.float32(0.6)

Picked = tuple[Ints, Ints, npt.NDArray[np.float32]]


def pick(
    catalog: Catalog,
    shoppers: Shoppers,
    shopper: Ints,
    leaf: Ints,
    brand: Ints,
    time: Ints,
    rng: np.random.Generator,
) -> Picked:
    """Picks n items, each out of `CANDIDATES` of one leaf that are on sale then.

    A multinomial logit (McFadden 1974): the best of utility plus Gumbel noise, over a popularity-weighted sample.

    Args:
        catalog: The items.
        shoppers: The shoppers.
        shopper: ``int64[n]``.
        leaf: ``int64[n]``, with at least one item each.
        brand: ``int64[n]``, the brand that the shopper would like most; -1 for none.
        time: ``int64[n]``, microseconds.
        rng: Source of chance.

    Returns:
        Items ``int64[n]``, -1 where none was on sale; the runners-up ``int64[n, 2]`` (also -1); and the utility
        of the picked ones ``float32[n]``.
    """
    parts = [
        _pick(catalog, shoppers, shopper[s], leaf[s], brand[s], time[s], rng)
        for s in (slice(at, at + CHUNK) for at in range(0, max(len(shopper), 1), CHUNK))
    ]
    items, others, utilities = (np.concatenate(column) for column in zip(*parts, strict=True))
    return items, others, utilities


def _pick(
    catalog: Catalog,
    shoppers: Shoppers,
    shopper: Ints,
    leaf: Ints,
    brand: Ints,
    time: Ints,
    rng: np.random.Generator,
) -> Picked:
    n = len(shopper)
    spread = np.repeat(leaf, CANDIDATES)
    candidates = draw_in(catalog.cumulative, catalog.first_item[spread], catalog.first_item[spread + 1], rng)
    items = candidates.reshape(n, CANDIDATES)
    when = np.broadcast_to(time[:, None], items.shape)
    score = utility(catalog, shoppers, shopper[:, None], brand[:, None], items, when)
    noisy = score + NOISE * gumbel(items.shape, rng)
    noisy[~catalog.sold_at(items, when)] = -np.inf
    order = np.argsort(-noisy, axis=1, kind="stable")
    ranked = np.take_along_axis(items, order, axis=1)
    ranked[np.take_along_axis(noisy, order, axis=1) == -np.inf] = -1
    # A candidate may be drawn twice: the runners-up are the next two that differ from what was picked.
    others = np.where(ranked[:, 1:3] == ranked[:, :1], -1, ranked[:, 1:3])
    others[:, 1] = np.where(others[:, 1] == others[:, 0], -1, others[:, 1])
    return ranked[:, 0], others, np.take_along_axis(score, order[:, :1], axis=1)[:, 0]


def utility(
    catalog: Catalog, shoppers: Shoppers, shopper: Ints, brand: Ints, item: Ints, time: Ints
) -> npt.NDArray[np.float32]:
    """What an item is worth to a shopper; shapes broadcast. About 0 on average, 3 for a very good match."""
    fit = shoppers.style[shopper, catalog.style[item]]
    fit = fit + np.float32(1.4) * (catalog.brand[item] == brand)
    fit -= np.float32(0.45) * (catalog.level[item] - shoppers.level[shopper]) ** 2
    fit += np.float32(1.2) * (catalog.chinese[item] == shoppers.chinese[shopper])
    fit += np.float32(0.4) * catalog.quality[item]
    fresh: Bools = time - catalog.created[item] < 14 * DAY
    return np.asarray(fit + np.float32(0.6) * fresh, dtype=np.float32)


def chance(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The logistic function: log odds to probability."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)), dtype=np.float32)
