"""Where the time of repeated requests went: figures by stage."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.cli.stage_bars import Figures, Profiled
from vitrine.domain.stages import Stage


def profiled(requests: Sequence[Sequence[Stage]], waits: Sequence[float]) -> Profiled:
    """Figures of some requests.

    Args:
        requests: r lists of stages; one that a request did not have took it no time.
        waits: Seconds that the caller waited for each.
    """
    names = list(dict.fromkeys(stage.name for request in requests for stage in request))
    # What only some requests had stands where it came in them, but never behind the rest.
    names.sort(key=lambda name: name == "waiting")
    seconds, cpu = np.zeros((len(requests), len(names))), np.zeros((len(requests), len(names)))
    for row, request in enumerate(requests):
        for stage in request:
            column = names.index(stage.name)
            seconds[row, column], cpu[row, column] = stage.seconds, stage.cpu
    total = seconds.sum(axis=1)
    slowest = np.argsort(total)[-max(1, len(requests) // 100) :]
    return Profiled(
        tuple(_figures(n, seconds[:, i], cpu[:, i], slowest) for i, n in enumerate(names)),
        _figures("total", total, cpu.sum(axis=1), slowest),
        _figures("client", np.asarray(waits, np.float64), np.full(len(requests), np.nan), slowest),
        len(requests),
    )


def _figures(
    name: str,
    seconds: npt.NDArray[np.float64],
    cpu: npt.NDArray[np.float64],
    slowest: npt.NDArray[np.int64],
) -> Figures:
    median, p99 = np.percentile(seconds, (50, 99)) * 1e3
    return Figures(
        name, float(median), float(p99), float(np.median(cpu) * 1e3), float(seconds[slowest].mean() * 1e3)
    )
