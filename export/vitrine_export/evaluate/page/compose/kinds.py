"""What a method is, going by its name."""

import math
from collections.abc import Collection, Iterable, Mapping

from vitrine_export.evaluate.page.parts import Kind
from vitrine_export.evaluate.report import PIPELINE

# How `serving.ablated` and `serving.alone` name what they make.
WITHOUT, SOURCE = "− ", "source:"
# Lines that a plot has room for.
MOST = 7


def parts_in(methods: Iterable[str]) -> set[str]:
    """The rankers and sources among some methods: those that the pipeline was asked without, and sources."""
    names = list(methods)
    return {n.removeprefix(WITHOUT) for n in names if n.startswith(WITHOUT)} | {
        n for n in names if n.startswith(SOURCE)
    }


def kind_of(method: str, parts: Collection[str]) -> Kind:
    """What a method is."""
    if method == PIPELINE:
        return Kind.PIPELINE
    return Kind.PART if method in parts or method.startswith((WITHOUT, SOURCE)) else Kind.BASELINE


def drawn(values: Mapping[str, float], parts: Collection[str] = ()) -> list[str]:
    """The methods that a plot shows: the pipeline and the best of the baselines, not the pipeline less one part.

    Args:
        values: A measure of each.
        parts: Names of rankers and sources.
    """
    known = parts_in(values) | set(parts)
    order = sorted(values, key=lambda m: -values[m] if math.isfinite(values[m]) else math.inf)
    others = [m for m in order if kind_of(m, known) is Kind.BASELINE]
    alone = [m for m in order if kind_of(m, known) is Kind.PART and not m.startswith((WITHOUT, SOURCE))]
    # Where there is no baseline, rankers alone are something to stand beside.
    return [m for m in order if m == PIPELINE] + (others or alone)[: MOST - 1]
