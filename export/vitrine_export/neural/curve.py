"""How training went."""

from dataclasses import dataclass, field

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
