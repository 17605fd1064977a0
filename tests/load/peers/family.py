"""All processes of one server, however they came to be: they share a mark in their environment."""

import os
import secrets
import time
from collections.abc import Callable

import psutil  # type: ignore[import-untyped]

MARK = "VITRINE_BENCH_PEER"
_END_SECONDS = 10.0


class Family:
    """Processes that were started with a mark, and whatever those started: daemons that nobody is a parent of, too.

    Attributes:
        environment: What the first of them is to be started with.
    """

    def __init__(self) -> None:
        self._mark = secrets.token_hex(8)
        self.environment = {MARK: self._mark}

    def members(self) -> list[psutil.Process]:
        """Those that live."""
        found = []
        for process in psutil.process_iter():
            if process.pid == os.getpid():
                continue
            try:
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def cpu_seconds(self) -> dict[int, float]:
        """CPU time, user and system, that each has used so far, by process id."""
        used = {}
        for process in self.members():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            used[process.pid] = float(times.user + times.system)
        return used

    def memory_bytes(self) -> int:
        """Memory of all, pages that they share counted once (proportional set size)."""
        total = 0
        for process in self.members():
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total

    def names(self) -> list[str]:
        """What each calls itself, sorted."""
        return sorted(_of(process.name) for process in self.members())

    def end(self) -> None:
        """Asks them to end, each by its process id, and makes those end that do not."""
        for how in (psutil.Process.terminate, psutil.Process.kill):
            for process in self.members():
                try:
                    how(process)
                except psutil.NoSuchProcess:
                    continue
            deadline = time.monotonic() + _END_SECONDS
            while self.members():
                if time.monotonic() > deadline:
                    break
                time.sleep(0.1)
            else:
                return


def used_between(before: dict[int, float], after: dict[int, float]) -> float:
    """CPU seconds from one look to another; what began in between counts from zero, what ended is not seen."""
    return sum(max(0.0, used - before.get(pid, 0.0)) for pid, used in after.items())


def _of(name: Callable[[], str]) -> str:
    try:
        return name()
    except psutil.Error:
        return "?"
