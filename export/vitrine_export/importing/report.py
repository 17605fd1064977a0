"""What an import did, for people and for the manifest."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


@dataclass(kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        source: The files.
        out: The data set.
        read: Rows of events read.
        kept: Rows of events kept.
        dropped: Reason -> rows of events left out.
        items_read: Rows of items read; 0 without an items file.
        items_kept: Items of the data set.
        items_dropped: Reason -> rows of items left out.
        off: What is missing -> what is off because of it.
        notes: Worth knowing -> how many.
        ignored: Columns that nobody reads.
        seconds: How long it took.
    """

    source: str
    out: Path
    read: int = 0
    kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    items_read: int = 0
    items_kept: int = 0
    items_dropped: dict[str, int] = field(default_factory=dict)
    off: dict[str, str] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def manifest(self) -> dict[str, Any]:
        """What of it goes into the manifest: nothing that differs from one run to the next."""
        return {k: v for k, v in asdict(self).items() if k not in {"out", "seconds", "source"}}

    def render(self) -> RenderableType:
        """The report for a terminal."""
        table = Table(title=f"Imported {self.source}", title_justify="left")
        table.add_column("")
        table.add_column("events", justify="right")
        table.add_column("items", justify="right")
        table.add_row(
            "read", f"{self.read:,}", f"{self.items_read:,}" if self.items_read else "from the events"
        )
        for reason in sorted({*self.dropped, *self.items_dropped}, key=lambda r: -self.dropped.get(r, 0)):
            dropped = (self.dropped.get(reason), self.items_dropped.get(reason))
            table.add_row(f"dropped: {reason}", *(f"{n:,}" if n else "" for n in dropped), style="yellow")
        table.add_row("kept", f"{self.kept:,}", f"{self.items_kept:,}", style="bold")
        lines = [Text(f"{what}: {count:,}") for what, count in self.notes.items()]
        lines += [Text(f"off ({what}): {why}", style="yellow") for what, why in self.off.items()]
        if self.ignored:
            lines.append(Text(f"columns not used: {', '.join(self.ignored)}", style="dim"))
        lines.append(Text(f"{self.out} written in {self.seconds:.1f} s"))
        return Group(table, *lines)
