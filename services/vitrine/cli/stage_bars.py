"""Where the time of repeated requests went, as a picture: a bar a stage."""

from dataclasses import dataclass
from math import isnan

from rich.table import Table
from rich.text import Text

_LEAST_BAR, _MOST_BAR = 10, 48
_MEDIAN, _TAIL = "█", "░"
# By what comes before the colon.
_COLOURS = {
    "decode": "blue",
    "encode": "blue",
    "profile": "magenta",
    "retrieval": "cyan",
    "source": "cyan",
    "merge": "cyan",
    "waiting": "yellow",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One stage, or all, over some requests; in milliseconds.

    Attributes:
        name: The stage.
        median: Of the time by the clock.
        p99: Its 99th percentile.
        cpu: Median of the CPU; NaN where nobody measures it.
        slow: Mean time in the slowest hundredth of the requests, one at least.
    """

    name: str
    median: float
    p99: float
    cpu: float
    slow: float


@dataclass(frozen=True, slots=True)
class Profiled:
    """Repeated requests, measured in the server.

    Attributes:
        stages: In the order of the work.
        total: From the message that came to the message that left.
        client: As the caller waited; `cpu` is NaN.
        requests: How many there were.
    """

    stages: tuple[Figures, ...]
    total: Figures
    client: Figures
    requests: int

    @property
    def largest(self) -> Figures:
        """The stage that took the most of the slowest requests."""
        return max(self.stages, key=lambda stage: stage.slow)


def bars(told: Profiled, width: int) -> Table:
    """A row a stage: median, 99th percentile and CPU in milliseconds, its share of the medians, and a bar.

    Args:
        told: The figures.
        width: Characters that the table may take.
    """
    table = Table(
        box=None,
        pad_edge=False,
        caption=f"{_MEDIAN} median  {_TAIL} up to the 99th percentile",
        caption_justify="left",
    )
    table.add_column("stage", no_wrap=True)
    for name in ("median ms", "p99 ms", "CPU ms", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    figures = 9 + 6 + 6 + 5 + 2 * 5
    room = width - max(len(stage.name) for stage in (*told.stages, told.total)) - figures
    room = min(max(room, _LEAST_BAR), _MOST_BAR)
    largest = max(stage.p99 for stage in told.stages) or 1.0
    whole = sum(stage.median for stage in told.stages) or 1.0
    for stage in told.stages:
        colour = _COLOURS.get(stage.name.partition(":")[0], "green")
        table.add_row(
            Text(stage.name),
            *_cells(stage),
            f"{stage.median / whole:.0%}",
            Text(bar(stage.median / largest, stage.p99 / largest, room), colour),
        )
    table.add_row(Text("total", "bold"), *_cells(told.total), "", "")
    return table


def bar(median: float, p99: float, room: int) -> str:
    """Two shares of so many characters, one behind the other; what takes any time shows."""
    solid = max(round(median * room), 1 if median > 0 else 0)
    return _MEDIAN * solid + _TAIL * max(round(p99 * room) - solid, 0)


def _cells(stage: Figures) -> tuple[str, str, str]:
    cpu = "" if stage.name == "waiting" or isnan(stage.cpu) else f"{stage.cpu:.2f}"
    return f"{stage.median:.2f}", f"{stage.p99:.2f}", cpu
