"""What shoppers do while they look around: search, see lists, click, look, like, hide."""

import numpy as np

from vitrine.domain.events import EventType
from vitrine_export.simulate import basket, texts
from vitrine_export.simulate.catalog import Bools
from vitrine_export.simulate.choice import chance
from vitrine_export.simulate.clock import SECOND
from vitrine_export.simulate.log import Log
from vitrine_export.simulate.shop import Bought, Shop
from vitrine_export.simulate.visits import Steps
from vitrine_export.simulate.vocabulary import Ints

SHARE_SEARCHING, SHARE_LISTED = 0.28, 0.3


def browse(shop: Shop, steps: Steps, log: Log) -> Bought:
    """Writes the events of all visits and answers what was bought in them."""
    rng, catalog, n = shop.rng, shop.catalog, len(steps.item)
    visits = int(steps.visit.max(initial=-1)) + 1
    channel = (rng.random(visits) < 0.45).astype(np.int64)[steps.visit]
    searching = steps.first & (rng.random(n) < SHARE_SEARCHING)
    log.add(
        EventType.SEARCH,
        steps.shopper[searching],
        None,
        steps.time[searching] - 15 * SECOND,
        text=texts.queries(shop.vocabulary, catalog, steps.item[searching], rng),
        channel=channel[searching],
    )
    _lists(steps, searching, channel, log, rng)
    dwell = rng.lognormal(2.8 + 0.25 * steps.utility, 0.6).clip(1, 900)
    log.add(
        EventType.VIEW,
        steps.shopper,
        steps.item,
        steps.time,
        dwell_seconds=dwell.astype(np.float32),
        channel=channel,
    )
    liked = rng.random(n) < 0.03 * chance(steps.utility - 1.0)
    log.add(
        EventType.LIKE,
        steps.shopper[liked],
        steps.item[liked],
        steps.time[liked] + 5 * SECOND,
        channel=channel[liked],
    )
    return basket.fill(shop, steps, channel, visits, log)


def _lists(steps: Steps, searching: Bools, channel: Ints, log: Log, rng: np.random.Generator) -> None:
    """Looks that came from a list that the shop showed: impressions, the click, and what was hidden."""
    listed = np.flatnonzero((rng.random(len(steps.item)) < SHARE_LISTED) & ~steps.again)
    scene = np.array(["item_page", "home", "search"])[
        np.where(searching, 2, steps.first.astype(np.int64))[listed]
    ]
    shown = np.column_stack([steps.item[listed], steps.others[listed]])
    who, time = steps.shopper[listed], steps.time[listed]
    for column in shown.T:
        seen = column >= 0
        log.add(
            EventType.IMPRESSION,
            who[seen],
            column[seen],
            time[seen] - 3 * SECOND,
            request=listed[seen],
            scene=scene[seen],
            channel=channel[listed][seen],
        )
    log.add(
        EventType.CLICK, who, shown[:, 0], time - SECOND, request=listed, scene=scene, channel=channel[listed]
    )
    hidden = (shown[:, 2] >= 0) & (rng.random(len(listed)) < 0.008)
    log.add(
        EventType.HIDE,
        who[hidden],
        shown[hidden, 2],
        time[hidden] - 2 * SECOND,
        request=listed[hidden],
        scene=scene[hidden],
        channel=channel[listed][hidden],
    )
