"""What a good list should foresee: the same in the lists that rankers learn from and in those that are measured."""

import polars as pl

from vitrine.dataset import Dataset
from vitrine.domain.events import INTEREST

# Purchases so close to a shopper's first one belong to the first basket, in seconds.
BASKET_SECONDS = 1800.0
# Smaller baskets are not halved: too little would be shown or asked.
SMALLEST_BASKET = 4


def target_types(dataset: Dataset) -> list[str]:
    """Types of events to foresee: purchases or, in a data set without any, every event that shows interest."""
    purchases = dataset.events().filter(pl.col("type") == "purchase").head(1).collect()
    if len(purchases):
        return ["purchase"]
    return [event_type.name.lower() for event_type, interest in INTEREST.items() if interest > 0]
