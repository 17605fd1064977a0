"""Items drawn at random, of few kinds and at few moments, so that many are alike and many come again."""

import numpy as np

from vitrine.domain.items import Availability, Item

HOUR = 3600.0


def random_items(rng: np.random.Generator, count: int) -> list[Item]:
    """Of 400 items some, as they are now; created within the first 20 hours of 1970, many at the same moment."""
    return [
        Item(
            item_id=f"i{rng.integers(400)}",
            category_path=((), ("a",), ("a", "b"), ("c",))[rng.integers(4)],
            brand=("", "x", "y")[rng.integers(3)],
            price_micros=int(rng.integers(100)),
            availability=Availability.IN_STOCK if rng.random() < 0.7 else Availability.OUT_OF_STOCK,
            created=float(rng.integers(40)) * HOUR / 2,
        )
        for _ in range(count)
    ]
