"""What `vitrine tune` says while it searches and at its end."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vitrine.cli.progress import in_words

if TYPE_CHECKING:  # what trains is not loaded for --help
    from vitrine_export.tuning import TuneReport
    from vitrine_export.tuning.stage import Stage, Tried


class Rows:
    """A line for each trial that is the best so far, and for the first of each search."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stage = ""

    def __call__(self, stage: "Stage", tried: "Tried", best: "Tried") -> None:
        """Told each trial."""
        from vitrine_export.tuning.space import told

        if stage.name != self._stage:
            self._stage = stage.name
            self._line(f"  {stage.title}, {stage.metric}", "bold")
        if tried is best:
            self._line(f"  {tried.number + 1:>5}  {tried.quality:.4f}  {told(tried.values)}", "")

    def _line(self, text: str, style: str) -> None:
        self._console.print(Text(text, style), soft_wrap=True)


def render(report: "TuneReport", data: Path, out: Path) -> RenderableType:
    """The end of a tuning."""
    from vitrine_export.tuning.space import told

    lines: list[RenderableType] = []
    table = Table("searched", "measure", "trials", "default", "best", "use", box=SIMPLE_HEAD, pad_edge=False)
    for stage in report.stages:
        use = told(stage.changed) if stage.better else "the defaults"
        table.add_row(
            stage.title,
            stage.metric,
            f"{len(stage.tried):,}",
            f"{stage.tried[0].quality:.4f}",
            f"{stage.best.quality:.4f}",
            Text(use, "green" if stage.better else ""),
        )
        lines.append(Text(f"{stage.title}: {stage.verdict}"))
    lines += [Text(f"{what}: not searched, as {why}", "yellow") for what, why in report.off.items()]
    if report.lost:
        lines.append(
            Text(f"The last {report.lost:,} bytes of the trials were damaged and had to go.", "yellow")
        )
    lines.append(Text(f"{out} written after {in_words(report.seconds)}"))
    if report.better:
        lines.append(Text(f"Next: vitrine train {data} --kind {out}"))
    return Group(table, *lines)
