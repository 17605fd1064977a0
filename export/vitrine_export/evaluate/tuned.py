"""What a training tuned by itself, on what it held out of its own data."""

from collections.abc import Mapping
from dataclasses import dataclass

from vitrine_export.evaluate.bootstrap import Difference

_Values = Mapping[str, float | int]


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of a search within a training.

    Attributes:
        what: What was tuned, for people.
        measure: What was measured.
        trials: How many settings were tried, the defaults included.
        defaults: The settings of the kind of data.
        best: Those of the best trial; the defaults where nothing beat them.
        compared: Lists that trials were compared on.
        confirmed: Other lists, which decided whether the best is used.
        without: What the defaults reach on those; ``None`` where nothing beat them in trials, so that nobody had to decide.
        gain: How far the best is ahead of them there.
        better: Whether it is used: the whole 95 % interval of the gain lies above 0.
        seconds: How long all of it took, by the clock.
    """

    what: str
    measure: str
    trials: int
    defaults: _Values
    best: _Values
    compared: int
    confirmed: int
    without: float | None
    gain: Difference | None
    better: bool
    seconds: float

    @property
    def changes(self) -> str:
        """In which settings the best differs from the defaults, in words."""
        return ", ".join(
            f"{name} {value:g} instead of {self.defaults[name]:g}"
            for name, value in self.best.items()
            if value != self.defaults[name]
        )

    @property
    def sentence(self) -> str:
        """What came of it, for people."""
        begun = f"Tuning of {self.what}, {self.trials:,} trial{'s' * (self.trials != 1)}"
        if self.gain is None or self.without is None:
            return f"{begun}: none beat the defaults, which stay."
        figures = (
            f"{self.measure} {self.without + self.gain.mean:.4f}, without {self.without:.4f}, on {self.confirmed:,} "
            f"held-out lists of training ({self.gain.relative:+.1%}, 95 % interval {self.gain.low:+.4f} to "
            f"{self.gain.high:+.4f})"
        )
        if self.better:
            return f"{begun}: {self.changes}; {figures}."
        return f"{begun}: the defaults stay, as the best, {self.changes}, is not surely better; {figures}."
