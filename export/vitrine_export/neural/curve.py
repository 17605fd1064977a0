"""How training went: numbers, and a picture of them."""

from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Epoch:
    """One round over the examples.

    Attributes:
        loss: Mean loss in training.
        metric: What was measured on held-out data; ``None`` when nothing is held out.
        seconds: How long it took.
    """

    loss: float
    metric: float | None
    seconds: float


@dataclass(slots=True)
class Curve:
    """The epochs so far.

    Attributes:
        name: Of the model.
        metric_name: What is measured.
        device: What it was trained on.
        epochs: Oldest first.
        best: Number of the epoch whose weights were kept, from 1; 0 before the first.
        stopped: Why training ended: "epochs", "patience" or "time".
    """

    name: str = ""
    metric_name: str = "metric"
    device: str = ""
    epochs: list[Epoch] = field(default_factory=list)
    best: int = 0
    stopped: str = ""

    @property
    def seconds(self) -> float:
        """Of all epochs."""
        return sum(e.seconds for e in self.epochs)

    @property
    def best_metric(self) -> float | None:
        """The metric of the weights that were kept."""
        return self.epochs[self.best - 1].metric if self.best else None

    def array(self) -> npt.NDArray[np.float64]:
        """``float64[epochs, 3]``: loss, metric (NaN for none), seconds."""
        rows = [(e.loss, np.nan if e.metric is None else e.metric, e.seconds) for e in self.epochs]
        return np.array(rows, np.float64).reshape(-1, 3)


def draw(curve: Curve, kind: str = "svg") -> bytes:
    """A picture of the loss and the metric by epoch.

    Args:
        curve: How training went.
        kind: "svg" or "png".
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    # Without pyplot: no global state, no window, and the same bytes for the same curve.
    with rc_context({"svg.hashsalt": "vitrine", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 4), layout="constrained")
        FigureCanvasAgg(figure)
        left = figure.add_subplot()
        at = np.arange(1, len(curve.epochs) + 1)
        loss, metric, _ = curve.array().T
        lines = left.plot(at, loss, "o-", color="#4c72b0", label="loss in training")
        left.set(xlabel="epoch", ylabel="loss in training", title=f"{curve.name}, {curve.device}")
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
        if np.isfinite(metric).any():
            right = left.twinx()
            lines += right.plot(
                at, metric, "s-", color="#dd8452", label=f"{curve.metric_name} on held-out data"
            )
            right.set_ylabel(curve.metric_name)
            if curve.best:
                lines.append(right.axvline(curve.best, color="grey", linestyle=":", label="weights kept"))
        left.legend(handles=lines, loc="center right")
        out = BytesIO()
        figure.savefig(out, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return out.getvalue()
