"""What training left behind: learning curves, and what the reranker goes by."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vitrine.domain.columns import column
from vitrine_export.evaluate.page.parts import Bar, Bars, Figure, Kind, Plot, Series

if TYPE_CHECKING:
    # At run time it would bring everything that training takes.
    from vitrine_export.train.picture import Panel, Run

_GROUPS, _COLUMNS, _TOLD = 12, 15, 2


def learned(panels: "Sequence[Panel]") -> Figure:
    """Learning curves of everything that was trained in rounds; panels as `train.picture.panels` answers them."""
    plots = [plot for panel in panels for plot in _plots(panel)]
    how = (
        "How each model learned, round by round, on shoppers that were held out within the training data; nothing here has "
        "seen the test. The upright line is the round whose weights are served. The axes do not begin at 0."
    )
    return Figure("How it learned", how, plots)


def importance_of(shares: Mapping[str, float]) -> Bars | None:
    """What the reranker goes by.

    Args:
        shares: Share of the gain by feature column (`FittedReranker.importance`).
    """
    total = sum(v for v in shares.values() if v > 0)
    if not total:
        return None
    known = {name: _known(name) for name in shares}
    groups: dict[str, list[str]] = {}
    for name in sorted(shares, key=lambda n: -shares[n]):
        if shares[name] > 0:
            groups.setdefault(known[name][0], []).append(name)
    sums = {group: sum(shares[n] for n in names) / total for group, names in groups.items()}
    rows = [
        Bar(
            group,
            sums[group],
            "; ".join(known[n][1] for n in groups[group][:_TOLD]),
            block="by what it speaks of",
        )
        for group in sorted(sums, key=lambda g: -sums[g])[:_GROUPS]
    ]
    first = [name for name in sorted(shares, key=lambda n: -shares[n]) if shares[name] > 0][:_COLUMNS]
    rows += [
        Bar(name, shares[name] / total, known[name][1], block="the first single columns") for name in first
    ]
    how = (
        "Which columns the trees of the reranker split by, as shares of what all splits gained. A share tells how much the "
        "model leans on a column, not what would be lost without it: of two columns that say the same, one takes it all."
    )
    return Bars("What the reranker goes by", how, rows, share=True)


def _known(name: str) -> tuple[str, str]:
    """Group and words of a column; of one that this version does not know, its name."""
    try:
        known = column(name)
    except KeyError:
        return name.partition(".")[0], name
    return known.group, known.text


def _plots(panel: "Panel") -> list[Plot]:
    """The measure on held-out shoppers, then the loss; what was not measured is left out."""
    found = []
    mark = next((float(run.best) for run in panel.runs if run.best), None) if len(panel.runs) == 1 else None
    for words, lines in (
        (f"{panel.metric_name}, held out", [run.metric for run in panel.runs]),
        ("loss in training", [run.loss for run in panel.runs]),
    ):
        rounds = max((len(line) for line in lines), default=0)
        series = [
            Series(_name(number, panel.runs), [*line, *[math.nan] * (rounds - len(line))], Kind.PIPELINE)
            for number, line in enumerate(lines, 1)
            if any(map(math.isfinite, line))
        ]
        if series:
            xs = [float(i) for i in range(1, rounds + 1)]
            found.append(
                Plot(
                    f"{panel.title}: {words}", xs, panel.unit, series, mark=mark, mark_name="kept", zero=False
                )
            )
    return found


def _name(number: int, runs: "Sequence[Run]") -> str:
    return "" if len(runs) == 1 else f"fold {number}"
