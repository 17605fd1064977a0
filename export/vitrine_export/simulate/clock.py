"""The simulated calendar: microseconds since 1970 UTC, months, weekdays and hours of the day."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from vitrine_export.simulate.vocabulary import Floats, Ints

SECOND = 1_000_000
DAY = 86_400 * SECOND

# How busy the shop is, Monday first, and by hour UTC.
_WEEKDAYS = np.array([0.9, 0.9, 0.95, 0.95, 1.0, 1.25, 1.3])
_HOURS = np.array(
    [2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 10, 11, 10, 9, 9, 9, 10, 12, 14, 15, 13, 9, 5], dtype=np.float64
)


@dataclass(frozen=True)
class Clock:
    """The simulated window.

    Attributes:
        start: Its first microsecond.
        end: The microsecond after its last.
    """

    start: int
    end: int

    @classmethod
    def of(cls, end: datetime, days: int) -> "Clock":
        """The ``days`` before ``end``."""
        last = round(end.timestamp()) * SECOND
        return cls(last - days * DAY, last)

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.end - self.start) // DAY

    def uniform(self, n: int, rng: np.random.Generator) -> Ints:
        """N times, any moment as likely as any other."""
        return self.start + (rng.random(n) * (self.end - self.start)).astype(np.int64)

    def visits(self, since: Ints, rng: np.random.Generator) -> Ints:
        """One visit after each given time of joining, likelier on busy days and at busy hours: ``int64[n]``."""
        weekday = (self.start // DAY + np.arange(self.days) + 3) % 7  # 1970-01-01 was a Thursday.
        busy = np.concatenate([[0.0], np.cumsum(_WEEKDAYS[weekday])])
        low = busy[(since - self.start) // DAY]
        day = np.searchsorted(busy, low + rng.random(len(since)) * (busy[-1] - low), side="right") - 1
        hours = np.concatenate([[0.0], np.cumsum(_HOURS / _HOURS.sum())])
        hour = np.interp(rng.random(len(since)), hours, np.arange(25))
        # A visit of the joining day is not before the joining.
        time = self.start + day.clip(0, self.days - 1) * DAY + (hour * 3600 * SECOND).astype(np.int64)
        return np.asarray(np.maximum(time, since), dtype=np.int64)


def months(times: Ints) -> Ints:
    """Month of each time, 0 for January."""
    return times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12


def gumbel(shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Standard Gumbel noise: the argmax of log weights plus this noise is a draw by weight."""
    exponential = rng.standard_exponential(shape, dtype=np.float32)
    return np.asarray(-np.log(exponential + np.float32(1e-12)), dtype=np.float32)


def draw_in(cumulative: Floats, low: Ints, high: Ints, rng: np.random.Generator) -> Ints:
    """One index from each range ``[low, high)``, by weight.

    Args:
        cumulative: ``float64[n + 1]``, sums of the n weights before each index.
        low: First indices.
        high: Ends; a range must have positive weight.
        rng: Source of chance.
    """
    below, above = cumulative[low], cumulative[high]
    drawn = np.searchsorted(cumulative, below + rng.random(len(low)) * (above - below), side="right") - 1
    return drawn.clip(low, high - 1)
