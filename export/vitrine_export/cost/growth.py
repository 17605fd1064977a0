"""How fast a cost grows with the size of the data."""

from collections.abc import Sequence

import numpy as np


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of a straight line through the logarithms: 1 is linear growth, less is less.

    By least squares; NaN with fewer than two sizes.
    """
    if len(set(sizes)) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(costs, 1e-9)), 1)[0])


def last_step(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The same between the two largest sizes alone, where what every training costs weighs least."""
    largest = np.argsort(sizes)[-2:]
    return exponent([sizes[i] for i in largest], [costs[i] for i in largest])
