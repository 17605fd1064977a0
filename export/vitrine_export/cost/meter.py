"""Time and memory of the stages of a piece of work, told by its progress."""

import contextlib
import time
from pathlib import Path

import msgspec

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class StageCost(msgspec.Struct):
    """What a stage took.

    Attributes:
        seconds: By the clock.
        cpu: Of all threads together.
        peak_mb: The most memory that the process had in RAM meanwhile, in units of a million bytes.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    peak_mb: float = 0.0


class Meter:
    """A listener to progress that notes what each stage took. One that comes again is added up.

    Attributes:
        stages: By name, in the order in which they began.
    """

    def __init__(self) -> None:
        self.stages: dict[str, StageCost] = {}
        self._begin("starting")

    def __call__(self, what: str, share: float) -> None:
        """See `vitrine.progress.Progress`."""
        del share
        stage = what.partition(":")[0]
        if stage != self._stage:
            self.finish()
            self._begin(stage)

    def finish(self) -> None:
        """The last stage is over."""
        cost = self.stages.setdefault(self._stage, StageCost())
        cost.seconds += time.monotonic() - self._since
        cost.cpu += time.process_time() - self._cpu
        cost.peak_mb = max(cost.peak_mb, peak_mb())

    def _begin(self, stage: str) -> None:
        reset_peak()
        self._stage, self._since, self._cpu = stage, time.monotonic(), time.process_time()


def peak_mb() -> float:
    """The most memory that the process had in RAM since `reset_peak`; since its beginning where Linux forbids that."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0  # pragma: no cover - every Linux has it


def reset_peak() -> None:
    """Forgets the peak so far (proc(5), /proc/pid/clear_refs)."""
    with contextlib.suppress(OSError):
        _RESET.write_text("5")
