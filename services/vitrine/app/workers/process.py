"""The process of a worker, as the owner starts and ends it."""

import os
import socket
import subprocess
import sys

_MODULE = "vitrine.app.workers.child"
# One process a core already: threads inside of one product of matrices would stand in the others' way.
_ENVIRONMENT = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"
)


def start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A new process, and this end of the socket to it; takes milliseconds.

    A fresh one and no fork: gRPC and the locks of other threads do not survive a fork.

    Raises:
        OSError: The system has no process or descriptor left.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module
                # -P: without the working directory in front of its path.
                [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # A Ctrl-C is for the owner, which lets calls in flight finish first.
                start_new_session=True,
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        except BaseException:
            ours.close()
            raise
    return process, ours


def wait(process: subprocess.Popen[bytes], seconds: float) -> str:
    """Waits until it has ended, ends it when it takes longer, and says how it ended; call it in a thread."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    return f"signal {-code}" if code < 0 else f"exit status {code}"
