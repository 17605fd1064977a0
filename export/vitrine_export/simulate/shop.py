"""What every part of the simulation looks at, and what a purchase is."""

from dataclasses import dataclass

import numpy as np

from vitrine.domain.events import EventType
from vitrine_export.simulate.catalog import Catalog
from vitrine_export.simulate.clock import DAY, Clock
from vitrine_export.simulate.log import Log
from vitrine_export.simulate.shoppers import Shoppers
from vitrine_export.simulate.vocabulary import Floats, Ints, Vocabulary


@dataclass(frozen=True)
class Shop:
    """Everything that does not change while events are made."""

    vocabulary: Vocabulary
    catalog: Catalog
    shoppers: Shoppers
    clock: Clock
    rng: np.random.Generator

    def paid(self, item: Ints, time: Ints) -> Ints:
        """Price of one at a time, in micros, after the week's discount."""
        week = ((time - self.clock.start) // (7 * DAY)).clip(0, self.catalog.discount.shape[1] - 1)
        share = 1.0 - self.catalog.discount[self.catalog.leaf[item], week]
        cents = np.round(self.catalog.price[item] * share / 10_000)
        return np.asarray(cents * 10_000, dtype=np.int64)

    def quantities(self, item: Ints) -> Floats:
        """How many of it are bought at once."""
        usual = np.where(self.vocabulary.days[self.catalog.leaf[item]] > 0, 0.3, 0.04)
        chance = self.rng.random((2, len(item)))
        return np.asarray(1.0 + (chance[0] < usual) + (chance[1] < usual / 3), dtype=np.float64)


@dataclass(frozen=True)
class Bought:
    """What was bought, as columns: who, which item, when, how many."""

    shopper: Ints
    item: Ints
    time: Ints
    quantity: Floats


def record(shop: Shop, bought: Bought, log: Log, scene: str | None = None) -> None:
    """Writes purchases."""
    log.add(
        EventType.PURCHASE,
        bought.shopper,
        bought.item,
        bought.time,
        value_micros=shop.paid(bought.item, bought.time),
        quantity=bought.quantity,
        scene=scene,
        channel=0,
    )
