"""From the basket to the checkout of the simulated shop, with what goes together."""

import numpy as np

from vitrine.domain.events import EventType
from vitrine_export.simulate.choice import chance, pick
from vitrine_export.simulate.clock import SECOND
from vitrine_export.simulate.log import Log
from vitrine_export.simulate.shop import Bought, Shop, record
from vitrine_export.simulate.visits import Steps
from vitrine_export.simulate.vocabulary import Floats, Ints

SHARE_REMOVED, SHARE_PAYING = 0.12, 0.6
SHARE_COMPANION, SHARE_USUAL_COMPANION = 0.45, 0.6
SHARE_SECOND = 0.1


def fill(shop: Shop, steps: Steps, channel: Ints, visits: int, log: Log) -> Bought:
    """Writes what goes into the baskets and out of them, and answers what was paid for."""
    rng = shop.rng
    carted = np.flatnonzero((rng.random(len(steps.item)) < chance(0.7 * steps.utility - 3.0)) & ~steps.again)
    who, item, time = steps.shopper[carted], steps.item[carted], steps.time[carted] + 9 * SECOND
    value = shop.paid(item, time)
    quantity = shop.quantities(item)
    log.add(
        EventType.ADD_TO_CART, who, item, time, value_micros=value, quantity=quantity, channel=channel[carted]
    )
    removed = rng.random(len(carted)) < SHARE_REMOVED
    log.add(
        EventType.REMOVE_FROM_CART,
        who[removed],
        item[removed],
        time[removed] + 20 * SECOND,
        channel=channel[carted][removed],
    )
    end = np.zeros(visits, dtype=np.int64)
    np.maximum.at(end, steps.visit, steps.time)
    paying = rng.random(visits) < SHARE_PAYING
    checkout = end + (rng.uniform(90, 300, visits) * SECOND).astype(np.int64)
    kept = ~removed & paying[steps.visit[carted]]
    rows = carted[kept]
    bought = Bought(who[kept], item[kept], checkout[steps.visit[rows]], quantity[kept])
    added = _companions(shop, bought, steps.brand[rows], log)
    bought = Bought(*(np.concatenate(pair) for pair in zip(_columns(bought), _columns(added), strict=True)))
    bought = _without_seconds(shop, bought)
    record(shop, bought, log)
    return bought


def _companions(shop: Shop, bought: Bought, brand: Ints, log: Log) -> Bought:
    """What goes with what was bought, added just before paying."""
    rng, catalog = shop.rng, shop.catalog
    rows = np.flatnonzero(
        (catalog.companion[bought.item] >= 0) & (rng.random(len(bought.item)) < SHARE_COMPANION)
    )
    usual = catalog.companion[bought.item[rows]]
    who, time = bought.shopper[rows], bought.time[rows]
    picked, _, _ = pick(catalog, shop.shoppers, who, catalog.leaf[usual], brand[rows], time, rng)
    item = np.where(rng.random(len(rows)) < SHARE_USUAL_COMPANION, usual, picked)
    there = (item >= 0) & catalog.sold_at(item.clip(0), time)
    who, item, time = who[there], item[there], time[there]
    quantity = shop.quantities(item)
    log.add(EventType.VIEW, who, item, time - 60 * SECOND, dwell_seconds=np.float32(12.0), channel=0)
    log.add(
        EventType.ADD_TO_CART,
        who,
        item,
        time - 40 * SECOND,
        value_micros=shop.paid(item, time),
        quantity=quantity,
        scene="cart",
        channel=0,
    )
    return Bought(who, item, time, quantity)


def _without_seconds(shop: Shop, bought: Bought) -> Bought:
    """Leaves out most purchases of something lasting that the shopper bought before."""
    order = np.lexsort((bought.time, bought.item, bought.shopper))
    who, item = bought.shopper[order], bought.item[order]
    second = np.concatenate([[False], (who[1:] == who[:-1]) & (item[1:] == item[:-1])])
    lasting = shop.vocabulary.days[shop.catalog.leaf[item]] == 0
    kept = order[~(second & lasting & (shop.rng.random(len(order)) > SHARE_SECOND))]
    return Bought(bought.shopper[kept], bought.item[kept], bought.time[kept], bought.quantity[kept])


def _columns(bought: Bought) -> tuple[Ints, Ints, Ints, Floats]:
    return bought.shopper, bought.item, bought.time, bought.quantity
