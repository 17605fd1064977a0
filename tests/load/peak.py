"""The search for the peak: the highest constant rate that a server holds."""

from collections.abc import Callable

# Upwards or downwards by a quarter until one rate is held and one is not, then by halves until they are near.
_STEP = 1.25
_MOST_STEPS = 8
# A longer run that is not held sends the peak down by this much.
_BACK = 0.95


def search(held: Callable[[int], bool], start: float, near: float = 1.05) -> int:
    """The highest rate that short runs hold; 0 where not even the lowest one that was tried is.

    Args:
        held: Runs at a rate, and answers whether the server kept up.
        start: Where to begin, calls a second.
        near: How many times higher a rate may be that is not held.
    """
    rate = max(1, round(start))
    low, high = 0, 0
    for _ in range(_MOST_STEPS):
        if held(rate):
            low = rate
            if high:
                break
            rate = max(rate + 1, round(rate * _STEP))
        else:
            high = rate
            if low or rate == 1:
                break
            rate = max(1, round(rate / _STEP))
    while low and high > low + 1 and high > low * near:
        middle = (low + high) // 2
        if held(middle):
            low = middle
        else:
            high = middle
    return low


def confirm(held: Callable[[int], bool], rate: int) -> int:
    """The rate, or the next below it by 5 % that a longer run holds; 0 for none."""
    for _ in range(_MOST_STEPS):
        if rate < 1 or held(rate):
            return rate
        rate = int(rate * _BACK)
    return 0
