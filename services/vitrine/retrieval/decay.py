"""Counts that fade: one number per row, whatever the time."""

import numpy as np
import numpy.typing as npt

# Far from what float64 holds (2^±1022), so that squares and quotients of the values are safe too.
_MAX_EXPONENT = 256.0


class ForwardDecay:
    """Exponentially decayed sums with one number per row and no work as time passes.

    Cormode, Shkapenyuk, Srivastava & Xu (2009), "Forward decay: a practical time decay model for streaming
    systems", section III: an event at time t weighs ``2^((t − landmark) / half_life)``; its weight as of a later
    moment is that divided by one factor common to all rows. So the order of rows never changes between events.

    Attributes:
        half_life: Seconds.
        landmark: Unix seconds; 0 before the first event.
        values: ``float64[n]``, sums as of the landmark.
    """

    def __init__(self, half_life: float) -> None:
        self.half_life = half_life
        self.landmark = 0.0
        self.values: npt.NDArray[np.float64] = np.zeros(0)

    def reserve(self, size: int) -> None:
        """Makes room for rows below ``size``."""
        if size > len(self.values):
            more = max(size, 2 * len(self.values), 1024) - len(self.values)
            self.values = np.concatenate([self.values, np.zeros(more)])

    def weigh(
        self, weights: npt.NDArray[np.float64], times: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], int]:
        """Weights as of the landmark, which moves first where it lies too far back.

        Returns:
            ``float64[k]``, and by how many half-lives the landmark moved: earlier numbers that are not in `values`
            have to be multiplied by ``2^−moved``.
        """
        if len(times) == 0:
            return weights, 0
        latest = float(times.max())
        moved = 0
        if not self.landmark:
            self.landmark = latest
        elif (latest - self.landmark) / self.half_life > _MAX_EXPONENT:
            # Whole half-lives: multiplying by a power of two is exact.
            moved = int((latest - self.landmark) / self.half_life)
            self.landmark += moved * self.half_life
            self.values = np.ldexp(self.values, -moved)
        return weights * np.exp2((times - self.landmark) / self.half_life), moved

    def add(self, rows: npt.NDArray[np.int32], weighed: npt.NDArray[np.float64]) -> None:
        """Adds what `weigh` answered to rows, in order."""
        np.add.at(self.values, rows, weighed)

    def log2_factor(self, time: float) -> float:
        """Logarithm to base 2 of what turns `values` into sums as of ``time``."""
        return (self.landmark - time) / self.half_life
