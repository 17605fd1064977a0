"""A progress bar on the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from vitrine.progress import Progress


@contextmanager
def progress(console: Console | None = None) -> Iterator[Progress]:
    """Shows what is being done, how far it is and how long it will take."""
    columns = (
        TextColumn("  {task.description:<36}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda stage, share: bar.update(task, description=stage, completed=share)
