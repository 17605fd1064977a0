"""Paired differences: a dot, the interval around it, and a sentence."""

import math
from collections.abc import Sequence

from vitrine_export.evaluate.page.html import Html, el, join
from vitrine_export.evaluate.page.parts import Gap
from vitrine_export.evaluate.page.words import figure, listed, named, percent, signed

_HOW = (
    "How far the pipeline is ahead on the very same queries: the dot is the mean difference, the line its 95 % interval "
    "(paired bootstrap over the queries). Where the line does not touch the upright rule, chance does not explain it."
)


def gaps(of: Sequence[Gap]) -> Html | None:
    """The differences by measure, beside each other."""
    if not of:
        return None
    measures = list(dict.fromkeys(gap.measure for gap in of))
    panels = (_panel(measure, [g for g in of if g.measure == measure]) for measure in measures)
    return join(
        [
            el("h4", "The pipeline against each", style="margin-top:2rem"),
            el("p", _HOW, class_="how"),
            el("div", panels, class_="gaps"),
            el("ul", (el("li", sentence(gap)) for gap in of if gap.measure == measures[0]), class_="note"),
        ]
    )


def sentence(gap: Gap) -> str:
    """A difference in words."""
    if not math.isfinite(gap.mean):
        return f"Nothing can be said against {gap.against} in {named(gap.measure)}."
    size = f"{named(gap.measure)} {signed(gap.mean)}, 95 % interval {signed(gap.low)} to {signed(gap.high)}"
    if gap.low > 0:
        return f"Ahead of {gap.against} by {percent(gap.relative).lstrip('+')} ({size})."
    if gap.high < 0:
        return f"Behind {gap.against} by {percent(gap.relative).lstrip('−')} ({size})."
    return f"Against {gap.against} there is no difference that chance does not explain ({size})."


def verdict(of: Sequence[Gap]) -> str:
    """All differences of the first measure in one sentence; empty for none."""
    first = [gap for gap in of if gap.measure == of[0].measure]
    ahead = [gap.against for gap in first if gap.low > 0]
    behind = [gap.against for gap in first if gap.high < 0]
    level = [gap.against for gap in first if not (gap.low > 0 or gap.high < 0)]
    parts = [
        f"{words} {listed(names)}"
        for words, names in (("ahead of", ahead), ("not to be told from", level), ("behind", behind))
        if names
    ]
    return f"By {named(of[0].measure)} the pipeline is {listed(parts)}." if parts else ""


def _panel(measure: str, of: Sequence[Gap]) -> Html:
    ends = [abs(v) for gap in of for v in (gap.low, gap.high, gap.mean) if math.isfinite(v)]
    reach = max(ends, default=1.0) * 1.04 or 1.0
    return el("div", el("h4", named(measure)), el("div", (_row(gap, reach) for gap in of), class_="bars"))


def _row(gap: Gap, reach: float) -> Html:
    def at(value: float) -> float:
        return 50 + 50 * value / reach

    if not math.isfinite(gap.mean):
        return join(
            [el("span", gap.against), el("span", class_="bar"), el("span", figure(gap.mean), class_="n")]
        )
    tone = "bar sure" if gap.low > 0 else "bar sure behind" if gap.high < 0 else "bar"
    track = el(
        "span",
        el("s", style="left:50%"),
        el("u", style=f"left:{at(gap.low):.2f}%;width:{at(gap.high) - at(gap.low):.2f}%"),
        el("i", style=f"left:{at(gap.mean):.2f}%"),
        class_=tone,
        title=sentence(gap),
    )
    return join([el("span", gap.against), track, el("span", percent(gap.relative), class_="n")])
