"""One picture of how everything learned: a panel for each model that was trained in rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    # At run time it would bring torch, which a training without networks does without.
    from vitrine_export.neural import Curve
    from vitrine_export.train.run import TrainReport

_LOSS, _METRIC = "#4c72b0", "#dd8452"
# Up to so many rounds each has a mark.
_MARKED = 40


@dataclass(frozen=True, slots=True)
class Run:
    """One training.

    Attributes:
        loss: By round, from the first; empty when none is known.
        metric: The same, on held-out data; NaN where nothing was measured.
        best: Round whose weights were kept, from 1; 0 when not known.
    """

    loss: Sequence[float]
    metric: Sequence[float]
    best: int


@dataclass(frozen=True, slots=True)
class Panel:
    """How one model learned.

    Attributes:
        title: The model and where it was trained; English, as the font of pictures has no other script.
        unit: What a round is.
        metric_name: What was measured on held-out data.
        runs: One, or one for each fold of the shoppers.
    """

    title: str
    unit: str
    metric_name: str
    runs: Sequence[Run]


def picture_path(bundle: Path) -> Path:
    """Where the picture goes: beside the bundle, whose folder holds nothing but its own files."""
    bundle = bundle.absolute()
    return bundle.with_name(f"{bundle.name}-curves.png")


def panels(report: "TrainReport") -> list[Panel]:
    """What was trained in rounds, in the order of training."""
    found = [_of_network(runs) for runs in curves(report).values()]
    reranker = report.rankers.reranker
    if reranker is not None and reranker.curve:
        run = Run((), reranker.curve, reranker.rounds)
        found.append(Panel(f"lightgbm, {reranker.lists:,} lists", "trees", "NDCG@20", [run]))
    return found


def curves(report: "TrainReport") -> "dict[str, list[Curve]]":
    """How the networks learned, by name: the trainings in which something was held out, or else all of them."""
    interest = None if report.base is None else report.base.interest
    everything = report.rankers.curves or ([] if interest is None else [interest.curve])
    if report.rankers.deep is not None:
        everything = [*everything, *report.rankers.deep.curves]
    found: dict[str, list[Curve]] = {}
    for curve in everything:
        found.setdefault(curve.name, []).append(curve)
    return {name: [c for c in runs if c.best_metric is not None] or runs for name, runs in found.items()}


def draw(of: Sequence[Panel], title: str = "") -> bytes:
    """A PNG with the panels side by side; the same bytes for the same numbers.

    Args:
        of: At least one.
        title: Above all of them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Without pyplot: no global state, and no window where there is a screen.
    figure = Figure(figsize=(5 * len(of), 3.6), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, fontsize="medium")
    for number, panel in enumerate(of, 1):
        _draw_panel(figure.add_subplot(1, len(of), number), panel)
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _of_network(of: "Sequence[Curve]") -> Panel:
    title = f"{of[0].name}, {of[0].device}" + (f", {len(of)} folds" if len(of) > 1 else "")
    runs = [Run(curve.array()[:, 0].tolist(), curve.array()[:, 1].tolist(), curve.best) for curve in of]
    return Panel(title, "epoch", of[0].metric_name, runs)


def _draw_panel(axes: "Axes", panel: Panel) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(panel.title, fontsize="small")
    axes.set_xlabel(panel.unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    lost = any(len(run.loss) for run in panel.runs)
    right = axes.twinx() if lost else axes
    measured = f"{panel.metric_name}, held out"
    handles = {}
    for run in panel.runs:
        for name, on, values, color, mark in (
            ("loss in training", axes, run.loss, _LOSS, "o-"),
            (measured, right, run.metric, _METRIC, "s-"),
        ):
            numbers = np.asarray(values, np.float64)
            if np.isfinite(numbers).any():
                style = mark if len(numbers) < _MARKED else "-"
                at = np.arange(1, len(numbers) + 1)
                (handles[name],) = on.plot(at, numbers, style, color=color, markersize=4)
                on.set_ylabel(name, color=color)
        if run.best:
            handles["kept"] = axes.axvline(run.best, color="grey", linestyle=":")
    if measured not in handles and lost:
        right.set_axis_off()
    # Below, where it hides nothing.
    axes.legend(
        handles=list(handles.values()),
        labels=list(handles),
        fontsize="x-small",
        loc="upper center",
        bbox_to_anchor=(0.5, -0.18),
        ncols=3,
        frameon=False,
    )
