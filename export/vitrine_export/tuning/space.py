"""What is searched: a few settings, each over a range around what it is now, most of them by factors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.trial import Trial

Values = dict[str, float | int]
# Digits that a value is rounded to: what is measured is what is written down and read again.
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Dimension:
    """One setting.

    Attributes:
        name: Its name.
        low: The smallest value tried.
        high: The largest.
        start: Its value now, which is tried first.
        integer: Whether only whole numbers make sense.
        log: Whether a factor counts, rather than a difference.
    """

    name: str
    low: float
    high: float
    start: float
    integer: bool = False
    log: bool = True

    def suggested(self, trial: "Trial") -> float | int:
        """The value that a trial is to use; rounded."""
        if self.integer:
            return trial.suggest_int(self.name, round(self.low), round(self.high), log=self.log)
        return rounded(trial.suggest_float(self.name, self.low, self.high, log=self.log))


def dimension(
    name: str,
    start: float,
    low: float,
    high: float,
    *,
    integer: bool = False,
    log: bool = True,
) -> Dimension:
    """A setting between ``low`` and ``high``, or further where it is beyond them now."""
    return Dimension(name, min(low, start), max(high, start), start, integer, log)


def suggested(space: tuple[Dimension, ...], trial: "Trial") -> Values:
    """What a trial is to use, by name."""
    return {d.name: d.suggested(trial) for d in space}


def starts(space: tuple[Dimension, ...]) -> Values:
    """The values of now, by name."""
    return {d.name: round(d.start) if d.integer else d.start for d in space}


def rounded(value: float) -> float:
    """To three digits."""
    return float(f"{value:.{_DIGITS}g}")


def told(values: Mapping[str, float | int]) -> str:
    """Values for people, such as ``ridge 12, neighbours 80``."""
    return ", ".join(f"{name} {value:g}" for name, value in values.items())
