"""Past shoppers that serving compares the one who asks with."""

import numpy as np

from vitrine.bundle import Shoppers
from vitrine_export.train.interactions import Interactions, half_life_seconds
from vitrine_export.train.parameters import Parameters

# So many are kept, drawn at random: memory and time of serving stay bounded (8 bytes an item of a shopper).
MOST_SHOPPERS = 200_000
# Of one alone nothing is learned.
_LEAST = 2


def fit_shoppers(
    interactions: Interactions, parameters: Parameters, seed: int, *, most: int = MOST_SHOPPERS
) -> Shoppers | None:
    """The items of each shopper with at least two, in the order of a draw.

    Args:
        interactions: Events.
        parameters: Settings.
        seed: Decides who is drawn.
        most: So many shoppers are kept.

    Returns:
        The shoppers; ``None`` where nobody has two items.
    """
    matrix = interactions.by_subject(half_life_seconds(parameters.half_life_days), parameters.max_history)
    known = np.flatnonzero(np.diff(matrix.indptr) >= _LEAST)
    if not known.size:
        return None
    kept = matrix[np.random.default_rng(seed).permutation(known)[:most]]
    return Shoppers(kept.indptr.astype(np.int64), kept.indices.astype(np.int32), interactions.item_count)
