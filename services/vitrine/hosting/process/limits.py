"""What a plugin's process may take and how it ends: set by itself, before it looks at the plugin."""

import contextlib
import fcntl
import logging
import os
import resource
import signal
import sys
from pathlib import Path

log = logging.getLogger(__name__)

# Seconds after which a child that waits for nobody ends; it winds this up again while it is well.
IDLE_SECONDS = 30.0


def limit_memory(memory_mb: int) -> None:
    """Limits what this process may take beyond what it has now; asking for more is a `MemoryError`.

    Linux counts all private memory that can be written to (``RLIMIT_DATA``). Elsewhere large pieces are not counted,
    and only the kernel bounds them.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        log.warning("this system cannot limit the memory of a process; memory_mb is not enforced")
        return
    # In pages: size, resident, shared, text, library, data with the stack.
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])
    limit = pages * resource.getpagesize() + memory_mb * (1 << 20)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    # Where the machine as a whole runs out of memory, this process goes before the server does.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", "ascii")


def end_after(seconds: float) -> None:
    """Has the kernel end this process after so many seconds, unless this is called again.

    That needs neither the interpreter nor the server: it also ends what spins or hangs when nobody is left to kill it.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def end_with(lifeline: int) -> None:
    """Has the kernel end this process as soon as the server is gone, whatever the interpreter is at.

    Args:
        lifeline: The end to read of a pipe that nobody writes to and the server alone holds open: that it is closed is
            told by SIGIO, which ends a process on Linux and is ignored elsewhere; there, `end_after` does it later.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
