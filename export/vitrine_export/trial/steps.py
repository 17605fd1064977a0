"""How far a trial is, and how long each of its steps took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from vitrine.progress import Progress, part_of

# From where to where each step takes the whole. Training, where it is done, is most of it.
_QUICK = {"models": (0.02, 0.15), "shop": (0.15, 0.2), "lists": (0.2, 0.9)}
_TRAINING = {
    "models": (0.01, 0.03),
    "shop": (0.03, 0.04),
    "training with": (0.04, 0.4),
    "training without": (0.4, 0.76),
    "lists": (0.76, 0.9),
}
_LAST = {"overlap": (0.9, 0.94), "latency": (0.94, 0.99)}


class Steps:
    """The steps of one trial.

    Args:
        progress: Told how far the whole is.
        training: Whether rerankers are trained.

    Attributes:
        progress: Told how far the whole is.
        seconds: How long each step took.
    """

    def __init__(self, progress: Progress, *, training: bool) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self._shares = {**(_TRAINING if training else _QUICK), **_LAST}

    def part(self, step: str) -> Progress:
        """Progress of one step, under its own name."""
        report = part_of(self.progress, *self._shares[step])
        return lambda detail, share: report(f"{step}: {detail}", share)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Notes how long it takes."""
        begun = time.monotonic()
        yield
        self.seconds[step] = time.monotonic() - begun
