"""Runs `vitrine evaluate` for one data set after the other, or some side by side, and remembers what is finished."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import msgspec

from vitrine_export.evaluate.page.store import NAME
from vitrine_export.evaluate.suite.sets import Run, filled
from vitrine_export.train.work import write_whole

METRICS, _DONE, LOG = "metrics.json", "done.json", "log.txt"
# Libraries of numbers take a thread a core unless told.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Done(msgspec.Struct):
    """That a run is finished: beside its report.

    Attributes:
        command: What was run.
        seconds: How long it took, by the clock.
        made: When it ended, for people.
    """

    command: list[str]
    seconds: float
    made: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """How runs are made.

    Attributes:
        data: Folder of the data sets.
        out: Folder for reports, bundles and what is made out of data sets.
        more: Options that all of them get.
        side_by_side: How many at a time; each then has its share of the cores, and writes into a file.
        say: Told how it goes, line by line.
        program: What runs a command of `vitrine`.
    """

    data: Path
    out: Path
    more: tuple[str, ...] = ()
    side_by_side: int = 1
    say: Callable[[str], None] = print
    program: tuple[str, ...] = (sys.executable, "-m", "vitrine")

    def command(self, run: Run) -> list[str]:
        """All arguments of `vitrine`."""
        own = run.command(str(self.data), str(self.out))
        return [*own, "--out", str(self.out / run.key), *self.more]

    def finished(self, run: Run, *, anyhow: bool = False) -> Done | None:
        """What is known of a run that is finished; nothing where it is not.

        Args:
            run: Which.
            anyhow: Whether one with other options counts, too, and one that was made by hand, of which no time is known.
        """
        folder = self.out / run.key
        if not ((folder / METRICS).exists() and (folder / NAME).exists()):
            return None
        try:
            done = msgspec.json.decode((folder / _DONE).read_bytes(), type=Done)
        except (OSError, msgspec.MsgspecError):
            done = Done([], float("nan"), "")
        return done if anyhow or done.command == self.command(run) else None

    def all(self, runs: Sequence[Run]) -> dict[str, str]:
        """Makes all of them; one that fails stops no other.

        Returns:
            Those that failed, by key: why.
        """
        failed = self._prepared(runs)
        slots: SimpleQueue[list[int]] = SimpleQueue()
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        for number in range(self.side_by_side):
            slots.put(cores[number :: self.side_by_side] or cores)

        def one(run: Run) -> tuple[str, str]:
            mine = slots.get()
            try:
                return run.key, self._run(run, mine)
            finally:
                slots.put(mine)

        pool = ThreadPoolExecutor(self.side_by_side)
        try:
            answers = list(pool.map(one, [run for run in runs if run.key not in failed]))
        finally:
            # After Ctrl-C no other one begins.
            pool.shutdown(cancel_futures=True)
        return failed | {key: why for key, why in answers if why}

    def _prepared(self, runs: Sequence[Run]) -> dict[str, str]:
        """Runs what has to come before some of them, each once; answers the runs that cannot be made."""
        failed: dict[str, str] = {}
        results: dict[tuple[str, ...], int] = {}
        for run in runs:
            if run.before and run.before not in results:
                results[run.before] = self._vitrine(filled(run.before, str(self.data), str(self.out)))
            if run.before and results[run.before]:
                failed[run.key] = f"`vitrine {run.before[0]}` ended with status {results[run.before]}"
        return failed

    def _run(self, run: Run, cores: list[int]) -> str:
        """Makes one; answers why it failed, or nothing."""
        folder = self.out / run.key
        (folder / _DONE).unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / LOG if self.side_by_side > 1 else None
        begun = time.monotonic()
        status = self._vitrine(self.command(run), log, cores)
        seconds = time.monotonic() - begun
        if status:
            why = f"ended with status {status} after {seconds:,.0f} s" + (f"; {log} says why" if log else "")
            self.say(f"FAILED {run.data}: {why}")
            return why
        made = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        write_whole(folder / _DONE, msgspec.json.encode(Done(self.command(run), seconds, made)))
        self.say(f"{run.data}: done in {seconds:,.0f} s")
        return ""

    def _vitrine(self, arguments: Sequence[str], log: Path | None = None, cores: Sequence[int] = ()) -> int:
        """Runs a command to its end; answers its exit status."""
        self.say("$ vitrine " + " ".join(arguments))
        environment = dict(os.environ)
        if log is not None:
            environment |= {name: str(max(len(cores), 1)) for name in _THREADS}
        with _output(log) as output:
            process = subprocess.Popen(  # noqa: S603 (our own command)
                [*self.program, *arguments],
                stdout=output,
                stderr=output,
                env=environment,
            )
            if log is not None and cores and hasattr(os, "sched_setaffinity"):
                # Before it has loaded anything that counts cores.
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(process.pid, cores)
            try:
                return process.wait()
            except BaseException:
                process.terminate()
                process.wait()
                raise


@contextlib.contextmanager
def _output(log: Path | None) -> Iterator[int | None]:
    """Where a command writes: a file, or where we do."""
    if log is None:
        yield None
        return
    with log.open("wb") as file:
        yield file.fileno()
