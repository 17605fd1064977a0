"""Where lines, ticks and labels go."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels, in a straight line.

    Attributes:
        low: Value at ``start``.
        high: Value at ``end``.
        start: Pixel of the lowest value.
        end: Pixel of the highest.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        span = self.high - self.low
        return self.start + (self.end - self.start) * ((value - self.low) / span if span else 0.5)


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from at most ``low`` to at least ``high``, about so many steps apart."""
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high - low < 1e-12:
        high = low + (abs(low) * 0.1 or 1.0)
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in _STEPS if s * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def whole(xs: Sequence[float], about: int = 5) -> list[float]:
    """Some of the places of an axis, the first and the last among them and round numbers between."""
    if len(xs) <= about + 1:
        return list(xs)
    step = max(ticks(0, xs[-1], about)[1], 1)
    round_ones = [x for x in xs if math.isclose(x % step, 0, abs_tol=1e-9)]
    inside = [x for x in round_ones if x - xs[0] > step / 2 and xs[-1] - x > step / 2]
    return [xs[0], *inside, xs[-1]]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions as near to the wanted ones as can be, ``gap`` apart and between two ends, in the order given.

    Neighbours that are too near become one block around their mean, until no two blocks touch. Where there is no room
    for all, they stand closer.
    """
    count = len(wanted)
    if count == 0:
        return []
    gap = min(gap, (high - low) / max(count - 1, 1))
    order = sorted(range(count), key=lambda i: wanted[i])
    # Each block: its members' wanted positions less their offsets within it, and how many.
    blocks: list[tuple[float, int]] = []
    for index in order:
        block = (wanted[index], 1)
        while blocks:
            centre, size = blocks[-1]
            if block[0] - (block[1] - 1) * gap / 2 - (centre + (size - 1) * gap / 2) >= gap:
                break
            blocks.pop()
            total = size + block[1]
            # As if each member pulled at its own place.
            middle = (centre * size + block[0] * block[1]) / total
            block = (middle, total)
        half = (block[1] - 1) * gap / 2
        blocks.append((min(max(block[0], low + half), high - half), block[1]))
    placed = [centre + (place - (size - 1) / 2) * gap for centre, size in blocks for place in range(size)]
    found = [0.0] * count
    for index, position in zip(order, placed, strict=True):
        found[index] = position
    return found
