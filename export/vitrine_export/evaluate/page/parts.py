"""What a page shows, as plain values: whoever makes a page needs nothing of HTML, and whoever draws it nothing of models.

Everything may be missing: a part that is not there is left out, with a sentence that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a method is, beside the others; a reference is no method, but something to hold them against."""

    PIPELINE = "pipeline"
    BASELINE = "baseline"
    PART = "part"
    PUBLISHED = "published"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Entry:
    """One method in a table.

    Attributes:
        method: Its name.
        values: The mean of each measure that is known.
        kind: What it is.
        intervals: 95 % interval of some means, ``(low, high)``.
        citation: Where a published figure stands.
        detail: What else is to be known, in a few words: how long it took, how it was tuned.
    """

    method: str
    values: Mapping[str, float]
    kind: Kind = Kind.BASELINE
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    citation: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the pipeline is ahead of another method in one measure: paired difference and its 95 % interval.

    Attributes:
        against: The other method.
        measure: The measure.
        mean: Difference of the means.
        low: Lower end of the interval.
        high: Upper end.
        relative: The difference as a share of the other's mean; NaN where that is 0.
    """

    against: str
    measure: str
    mean: float
    low: float
    high: float
    relative: float


@dataclass(frozen=True, slots=True)
class Standing:
    """One group of queries: who stands where.

    Attributes:
        title: The group.
        queries: How many queries the means go over.
        entries: The methods, in any order.
        measures: Those that matter, the first decides the order; the others are folded away.
        gaps: Paired differences.
        note: What is to be known.
    """

    title: str
    queries: int
    entries: Sequence[Entry]
    measures: Sequence[str]
    gaps: Sequence[Gap] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A line.

    Attributes:
        name: Beside its end.
        values: One a place on the axis; NaN for none.
        kind: Of the method.
        low: Lower edge of a band around it; empty for none.
        high: Upper edge.
    """

    name: str
    values: Sequence[float]
    kind: Kind = Kind.BASELINE
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over one axis.

    Attributes:
        title: What is measured.
        xs: Places on the axis, rising.
        x_label: What the axis is.
        series: The lines.
        names: Names of the places, where they are no numbers.
        counts: How much stands behind each place, below its name.
        mark: A place to mark with an upright line; ``None`` for none.
        mark_name: What it is.
        zero: Whether the other axis begins at 0.
    """

    title: str
    xs: Sequence[float]
    x_label: str
    series: Sequence[Series]
    names: Sequence[str] = ()
    counts: Sequence[str] = ()
    mark: float | None = None
    mark_name: str = ""
    zero: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """Plots side by side.

    Attributes:
        title: Of the section.
        how: How to read it, in a sentence or two.
        plots: Small multiples.
        shared: Whether they have one upright axis.
        note: Below.
    """

    title: str
    how: str
    plots: Sequence[Plot]
    shared: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its value, words about it, 95 % interval, and in which block it stands."""

    name: str
    value: float
    text: str = ""
    interval: tuple[float, float] | None = None
    block: str = ""
    kind: Kind = Kind.PART


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars below each other, from 0 or from a base.

    Attributes:
        title: Of the section.
        how: How to read it.
        rows: The bars; those of one block follow each other.
        base: Where bars begin; ``None`` for 0.
        base_name: What stands there.
        share: Whether values are shares of a whole, told in per cent.
        note: Below.
    """

    title: str
    how: str
    rows: Sequence[Bar]
    base: float | None = None
    base_name: str = ""
    share: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table of figures.

    Attributes:
        title: Of the section.
        how: How to read it.
        columns: Measures, each with what it means in words.
        rows: The methods in the order in which they are shown.
        note: Below.
    """

    title: str
    how: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Entry]
    note: str = ""
