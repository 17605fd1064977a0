"""How long work tells how far it is, without knowing who listens."""

from collections.abc import Callable

# Called with what is being done now and the share of the whole that is done, 0 to 1.
Progress = Callable[[str, float], None]


def quiet(stage: str, share: float) -> None:
    """Progress for nobody."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a step that takes the work from share ``start`` to share ``end``."""
    return lambda stage, share: progress(stage, start + (end - start) * share)
