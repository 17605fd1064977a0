"""A progress bar on the terminal, and lines for a log where there is none."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from vitrine.progress import Progress

# Before so much is done, nobody can say how long the rest will take.
_KNOWN_SHARE, _KNOWN_SECONDS = 0.02, 3.0
# A log gets a line when something else begins, and at least this often.
_LOG_SECONDS = 30.0


@contextmanager
def progress(
    console: Console | None = None, clock: Callable[[], float] = time.monotonic
) -> Iterator[Progress]:
    """Shows what is being done, how far it is and how long it will take.

    What is told as ``"step: detail"`` is shown as the step beside the bar and the detail below it. Where there is no
    terminal, lines are printed instead.
    """
    console = console or Console()
    if not console.is_terminal:
        yield _lines(console, clock)
        return
    columns = (
        TextColumn("  {task.description:<28}", markup=False),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        _LeftColumn(),
    )
    with _TwoLines(*columns, console=console, expand=True) as bar:
        task = bar.add_task("starting", total=1.0, detail="")
        best = 0.0

        def told(stage: str, share: float) -> None:
            nonlocal best
            # A step that knows its length better by now must not make the bar go back.
            best = max(best, share)
            step, _, detail = stage.partition(": ")
            bar.update(task, description=step, completed=best, detail=detail)

        yield told


def seconds_left(elapsed: float, share: float) -> float | None:
    """Seconds that the rest takes at the pace so far; ``None`` while nobody can know."""
    if share < _KNOWN_SHARE or elapsed < _KNOWN_SECONDS:
        return None
    return elapsed * (1 - min(share, 1.0)) / share


def in_words(seconds: float) -> str:
    """A time in few and round words, such as "40 s", "3 min" or "1 h 20 min"."""
    if seconds < 90:
        return f"{max(5 * round(seconds / 5), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class _LeftColumn(ProgressColumn):
    """Time left, from all of the time so far: steps differ too much for the last seconds to tell."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """See `ProgressColumn`."""
        if task.finished:
            return Text("")
        left = seconds_left(task.elapsed or 0.0, task.percentage / 100)
        return Text(
            "" if left is None else f"about {in_words(left)} left", "progress.remaining", no_wrap=True
        )


class _TwoLines(Bar):
    """The bar, and below it the latest detail, cut to the width of the terminal."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """See `rich.progress.Progress`."""
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            if detail := task.fields.get("detail"):
                yield Padding(Text(detail, "dim", no_wrap=True, overflow="ellipsis"), (0, 0, 0, 4))


def _lines(console: Console, clock: Callable[[], float]) -> Progress:
    start = clock()
    last, said = "", start

    def told(stage: str, share: float) -> None:
        nonlocal last, said
        step, now = stage.partition(": ")[0], clock()
        if step == last and now - said < _LOG_SECONDS:
            return
        last, said = step, now
        left = None if share >= 1 else seconds_left(now - start, share)
        rest = "" if left is None else f"about {in_words(left)} left"
        # A path or a name in it is no markup.
        console.print(
            f"  {now - start:6.1f} s {share:4.0%}  {rest:<16}  {stage}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    return told
