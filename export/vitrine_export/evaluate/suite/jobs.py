"""Runs `vitrine evaluate` for one data set after the other, or some side by side, and remembers what is finished."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import msgspec

from vitrine_export.evaluate.page.store import NAME
from vitrine_export.evaluate.suite import made_of
from vitrine_export.evaluate.suite.processes import Processes
from vitrine_export.evaluate.suite.sets import Run, filled
from vitrine_export.resumed import write_whole

METRICS, _DONE, LOG = "metrics.json", "done.json", "log.txt"
# Seconds between looks at what came while we waited.
_WAKE = 0.2
_T = TypeVar("_T")
# Libraries of numbers take a thread a core unless told.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Done(msgspec.Struct):
    """That a run is finished: beside its report.

    Attributes:
        command: What was run; nothing where it was made by hand.
        seconds: How long it took, by the clock.
        made: When it ended, for people.
        side_by_side: How many ran at a time; 0 where that is not known.
        code: What changes with the code that it was made with.
        data: Of each file that it read, what changes with it.
    """

    command: list[str]
    seconds: float
    made: str
    side_by_side: int = 0
    code: str = ""
    data: dict[str, made_of.Stamp] = {}

    def shown(self, run: Run) -> str:
        """The command for people, such that it holds on other machines; nothing where it was made by hand."""
        if "--out" not in self.command:
            return ""
        place = self.command.index("--out")
        out = str(Path(self.command[place + 1]).parent)
        rest = [*self.command[:place], *self.command[place + 2 :]]
        return " ".join(["vitrine", *(_shown(argument, run, out) for argument in rest)])


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
        code: Tells what changes with the code.
        processes: The commands that run.
        lock: Descriptor of a lock that they hold, too.
    """

    data: Path
    out: Path
    more: tuple[str, ...] = ()
    side_by_side: int = 1
    say: Callable[[str], None] = print
    program: tuple[str, ...] = (sys.executable, "-m", "vitrine")
    code: Callable[[], str] = made_of.code
    processes: Processes = field(default_factory=Processes)
    lock: int | None = None

    def command(self, run: Run) -> list[str]:
        """All arguments of `vitrine`."""
        own = run.command(str(self.data), str(self.out))
        return [*own, "--out", str(self.out / run.key), *self.more]

    def finished(self, run: Run) -> Done | None:
        """What is known of a run that is finished, whether or not by what is there now; nothing where it is not."""
        folder = self.out / run.key
        if not ((folder / METRICS).exists() and (folder / NAME).exists()):
            return None
        try:
            return msgspec.json.decode((folder / _DONE).read_bytes(), type=Done)
        except (OSError, msgspec.MsgspecError):
            return Done([], float("nan"), "")

    def why_again(self, run: Run, done: Done) -> str:
        """Why a finished run is not what would be made now; nothing where it is. Data that is gone tells nothing."""
        if not done.command:
            return "nothing tells how it was made"
        if done.command != self.command(run):
            return "it was made with other options"
        if done.code != self.code():
            return "it was made with other code"
        now = made_of.stamps(self.data, run.needs)
        changed = [file for file, stamp in now.items() if done.data.get(file) != stamp]
        return f"{self.data / changed[0]} has changed since" if changed else ""

    def all(self, runs: Sequence[Run]) -> dict[str, str]:
        """Makes all of them; one that fails stops no other. Whatever stops us, ends those that run.

        Returns:
            Those that failed, by key: why.
        """
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

        # Signals come to this thread, which does nothing but wait.
        pool = ThreadPoolExecutor(self.side_by_side)
        try:
            failed = _waited(pool.submit(self._prepared, runs))
            begun = [pool.submit(one, run) for run in runs if run.key not in failed]
            answers = [_waited(future) for future in begun]
        except BaseException:
            self.processes.stop()
            raise
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
        # As it was begun with: both may change while it runs.
        code, data = self.code(), made_of.stamps(self.data, run.needs)
        begun = time.monotonic()
        status = self._vitrine(self.command(run), log, cores)
        seconds = time.monotonic() - begun
        if self.processes.stopped:
            return "was stopped"
        if status:
            why = f"ended with status {status} after {seconds:,.0f} s" + (f"; {log} says why" if log else "")
            self.say(f"FAILED {run.data}: {why}")
            return why
        made = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        done = Done(self.command(run), seconds, made, self.side_by_side, code, data)
        write_whole(folder / _DONE, msgspec.json.encode(done))
        self.say(f"{run.data}: done in {seconds:,.0f} s")
        return ""

    def _vitrine(self, arguments: Sequence[str], log: Path | None = None, cores: Sequence[int] = ()) -> int:
        """Runs a command to its end; answers its exit status."""
        if not self.processes.stopped:
            self.say("$ vitrine " + " ".join(arguments))
        environment = dict(os.environ)
        if log is not None:
            environment |= {name: str(max(len(cores), 1)) for name in _THREADS}
        return self.processes.run(
            [*self.program, *arguments],
            log=log,
            environment=environment,
            cores=() if log is None else cores,
            lock=self.lock,
        )


def _waited(future: Future[_T]) -> _T:
    """What comes of it. It wakes up now and then: a library may have Ctrl-C not interrupt waiting (Polars does)."""
    while not wait([future], _WAKE).done:
        pass
    return future.result()


def _shown(argument: str, run: Run, out: str) -> str:
    for file in run.needs:
        if argument == file or argument.endswith(f"/{file}"):
            return f"DATA/{file}"
    return f".evaluate{argument.removeprefix(out)}" if argument.startswith(f"{out}/") else argument
