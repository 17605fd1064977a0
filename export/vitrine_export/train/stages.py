"""Times the stages of training and passes progress on."""

import time
from collections.abc import Callable

from vitrine.progress import Progress


class Stages:
    """The stages so far.

    Attributes:
        seconds: Seconds by stage.
    """

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._report = progress
        self._share = 0.0
        self._start = self._since = time.monotonic()
        self._stage = ""

    def _progress(self, what: str, share: float) -> None:
        # Steps that add up to the next one's beginning miss it by a rounding: a bar never goes back.
        self._share = max(self._share, share)
        self._report(what, self._share)

    def enter(self, stage: str, share: float) -> None:
        """The next stage begins, with this share of the work done."""
        now = time.monotonic()
        if self._stage:
            self.seconds[self._stage] = now - self._since
        self._stage, self._since = stage, now
        self._progress(stage, share)

    def within(self, start: float, stop: float) -> Callable[[float], None]:
        """Progress of a step that takes the work from one share to another."""
        return lambda share: self._progress(self._stage, start + share * (stop - start))

    def part(self, start: float, stop: float) -> Progress:
        """Progress of a step with steps of its own, which it names."""
        return lambda what, share: self._progress(what, start + share * (stop - start))

    def finish(self) -> float:
        """All is done; answers how many seconds it took."""
        self.enter("done", 1.0)
        return time.monotonic() - self._start
