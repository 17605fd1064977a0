"""A row of docs/performance.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure.

    Attributes:
        what: What is divided by what, in a line; the regression check knows the row by it.
        value: The figure, a ratio; ``None`` where it was not measured (``note`` says why) or is only stated.
        bound: What is to be reached; ``None`` where the figure is only stated (``details`` state it).
        at_most: Whether the figure should be at most ``bound``, or at least.
        strict: Whether it must differ from ``bound``: below it, above it.
        tolerance: How many times worse than before the regression check lets it be; more for what varies, like tails.
        parts: What the regression check compares beside the value: a part that gets twice as dear hides in the whole. Ratios,
            too, that should be low; name -> figure.
        details: Milliseconds, counts, sizes and what peers publish, name -> value with its unit.
        short: What the first section of the page says of it; nothing where it is empty.
        missed: Why it is not reached and what that would take; shown where it is not.
        note: Why there is no figure, or what to know about it.
        command: What measures this row, where `make bench` does not.
        checked: Whether the regression check compares it: not what is divided by a constant, which is a time in disguise,
            nor what is measured elsewhere.
        failed: Whether what should have measured it failed.
    """

    what: str
    value: float | None
    bound: float | None = None
    at_most: bool = True
    strict: bool = False
    tolerance: float = 1.25
    parts: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    short: str = ""
    missed: str = ""
    note: str = ""
    command: str = ""
    checked: bool = True
    failed: bool = False

    @property
    def reach(self) -> str:
        """What is to be reached, as in "≤ 1.3"."""
        if self.bound is None:
            return ""
        signs = {(True, False): "≤", (True, True): "<", (False, False): "≥", (False, True): ">"}
        return f"{signs[self.at_most, self.strict]} {self.bound:g}"

    @property
    def reached(self) -> bool | None:
        """Whether it is; ``None`` where there is no figure or nothing to reach."""
        if self.value is None or self.bound is None:
            return None
        if self.value == self.bound:
            return not self.strict
        return (self.value < self.bound) is self.at_most
