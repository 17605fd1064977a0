"""Starting, killing and reaping a plugin's process."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

_MODULE = "vitrine.hosting.process.child"
# Processes already share the cores: threads inside of one product of matrices would stand in the others' way.
_ENVIRONMENT = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)
_POLL_SECONDS = 0.1


class ChildProcess:
    """A Python that runs `vitrine.hosting.process.child` in a session of its own. Any thread may kill it.

    A fresh one and no fork: gRPC and the locks of other threads do not survive a fork.

    Args:
        path: Where it finds modules.
        fds: The descriptors that it inherits; it gets no others.

    Attributes:
        killed: Whether `kill` was called.
        reaped: Whether it is gone and nothing of it is left in the system.
    """

    def __init__(self, path: list[str], *fds: int) -> None:
        self.killed = False
        self.reaped = False
        self._lock = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            # -P: without the working directory in front of its path.
            [sys.executable, "-P", "-m", _MODULE, *map(str, fds)],
            stdin=subprocess.DEVNULL,
            # Standard output may belong to somebody who reads it.
            stdout=_stderr(),
            pass_fds=fds,
            close_fds=True,
            start_new_session=True,
            env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(path)},
        )

    def kill(self) -> None:
        """Ends it and whatever it has started; idempotent."""
        with self._lock:
            self.killed = True
            if not self.reaped:
                # It leads its session, so that its children are in its group.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> str:
        """Waits until it has ended and ends whatever it has started; how it ended, in words."""
        if sys.platform == "linux":
            # Not reaped yet: until then its number belongs to nobody else, and `kill` hits nobody else.
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:
            while not self._exited():
                time.sleep(_POLL_SECONDS)
        self.kill()
        with self._lock:
            code = self._process.wait()
            self.reaped = True
        return f"signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"exit status {code}"

    def _exited(self) -> bool:
        """Whether it has ended, for systems that tell that only with reaping."""
        with self._lock:
            self.reaped = self._process.poll() is not None
            return self.reaped


def _stderr() -> int:
    """Where standard error goes, if anywhere."""
    try:
        os.fstat(2)
    except OSError:
        return subprocess.DEVNULL
    return 2
