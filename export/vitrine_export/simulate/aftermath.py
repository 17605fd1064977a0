"""What follows a purchase: buying again what is used up, stars and reviews."""

import numpy as np

from vitrine.domain.events import EventType
from vitrine_export.simulate import texts
from vitrine_export.simulate.clock import DAY, SECOND
from vitrine_export.simulate.log import Log
from vitrine_export.simulate.shop import Bought, Shop, record

SHARE_LOYAL, SHARE_RATING, SHARE_REVIEWING = 0.75, 0.1, 0.3


def buy_again(shop: Shop, bought: Bought, log: Log) -> list[Bought]:
    """Lets shoppers come back for consumables, about when they are used up, until they stop or the window ends.

    Returns:
        What was bought again, one entry per round.
    """
    rng, rounds = shop.rng, []
    lasting = shop.vocabulary.days[shop.catalog.leaf[bought.item]]
    now = _rows(bought, np.flatnonzero(lasting > 0))
    while len(now.item):
        days = shop.vocabulary.days[shop.catalog.leaf[now.item]]
        wait = np.maximum(days * rng.lognormal(0.0, 0.2, len(days)), 1.0)
        time = now.time + (wait * DAY).astype(np.int64)
        back = (
            (rng.random(len(days)) < SHARE_LOYAL)
            & (time < shop.clock.end)
            & shop.catalog.sold_at(now.item, time)
        )
        now = Bought(now.shopper[back], now.item[back], time[back], shop.quantities(now.item[back]))
        looks = rng.random(len(now.item)) < 0.5
        log.add(
            EventType.VIEW,
            now.shopper[looks],
            now.item[looks],
            now.time[looks] - 90 * SECOND,
            dwell_seconds=np.float32(6.0),
            scene="buy_again",
            channel=1,
        )
        log.add(
            EventType.ADD_TO_CART,
            now.shopper,
            now.item,
            now.time - 60 * SECOND,
            value_micros=shop.paid(now.item, now.time),
            quantity=now.quantity,
            scene="buy_again",
            channel=1,
        )
        record(shop, now, log, scene="buy_again")
        rounds.append(now)
    return rounds


def rate(shop: Shop, bought: Bought, log: Log) -> None:
    """Stars some days later, and a review for some of them."""
    rng = shop.rng
    rated = _rows(bought, np.flatnonzero(rng.random(len(bought.item)) < SHARE_RATING))
    quality = shop.catalog.quality[rated.item]
    stars = np.round(3.9 + 0.7 * quality + 0.6 * rng.normal(size=len(quality))).clip(1, 5).astype(np.int64)
    time = rated.time + (rng.uniform(2, 12, len(stars)) * DAY).astype(np.int64)
    log.add(EventType.RATING, rated.shopper, rated.item, time, rating=stars.astype(np.float32), channel=2)
    telling = rng.random(len(stars)) < SHARE_REVIEWING
    chinese = shop.shoppers.chinese[rated.shopper[telling]]
    log.add(
        EventType.REVIEW,
        rated.shopper[telling],
        rated.item[telling],
        time[telling] + 45 * SECOND,
        rating=stars[telling].astype(np.float32),
        text=texts.reviews(shop.vocabulary, stars[telling], chinese, rng),
        channel=2,
    )


def _rows(bought: Bought, rows: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Bought:
    return Bought(bought.shopper[rows], bought.item[rows], bought.time[rows], bought.quantity[rows])
