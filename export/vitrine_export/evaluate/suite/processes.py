"""The commands that a suite runs, of which none goes on when the suite is stopped."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

# Seconds from asking a command to end to ending it.
_GRACE = 20.0
_NOT_BEGUN = 130


class Terminated(BaseException):
    """We were told to end: SIGTERM, as Ctrl-C is `KeyboardInterrupt`."""


@contextlib.contextmanager
def terminated_by_signal() -> Iterator[None]:
    """Inside, SIGTERM raises `Terminated`; once, so that ending the commands is not interrupted by it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def told(_: int, __: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated

    before = signal.signal(signal.SIGTERM, told)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


class Processes:
    """Runs commands, from any thread but the one that signals come to.

    Attributes:
        stopped: Whether no other one begins.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(
        self,
        command: Sequence[str],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        cores: Sequence[int] = (),
        lock: int | None = None,
    ) -> int:
        """Runs a command to its end; answers its exit status.

        Args:
            command: Program and arguments.
            log: Where it writes; where we do unless told.
            environment: Its environment; ours unless told.
            cores: On which it is to run.
            lock: Descriptor of a lock that it holds with us, and longer where we are killed.
        """
        with _output(log) as output:
            with self._lock:
                if self.stopped:
                    return _NOT_BEGUN
                process = subprocess.Popen(  # noqa: S603 (our own command)
                    command,
                    stdout=output,
                    stderr=output,
                    env=environment,
                    pass_fds=() if lock is None else (lock,),
                )
                self._running.add(process)
            if cores and hasattr(os, "sched_setaffinity"):
                # Before it has loaded anything that counts cores.
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(process.pid, cores)
            try:
                return process.wait()
            finally:
                with self._lock:
                    self._running.discard(process)

    def stop(self) -> None:
        """Ends all of them and waits until they are gone."""
        with self._lock:
            self.stopped = True
            running = list(self._running)
        for process in running:
            process.terminate()
        try:
            for process in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_GRACE)
        finally:
            # Also where waiting is interrupted, by another Ctrl-C.
            for process in running:
                process.kill()


@contextlib.contextmanager
def _output(log: Path | None) -> Iterator[int | None]:
    """Where a command writes: a file, or where we do."""
    if log is None:
        yield None
        return
    with log.open("wb") as file:
        yield file.fileno()
