"""A worker process: ``python -m vitrine.app.workers.child FD``, started by the owner of the stores."""

import asyncio
import ctypes
import logging
import os
import signal
import socket
import sys

from threadpoolctl import threadpool_limits

from vitrine.app.loop import SWITCH_SECONDS, loop_factory
from vitrine.app.workers.serving import Worker

# Of sys/prctl.h. It is the death of the thread that started this process that counts: the owner's main thread.
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serves the other end of the socket until that is closed; then there is nobody left to serve."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    _end_with_owner()
    # The owner decides when this process ends: by closing the socket, or by killing it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_SECONDS)
    threadpool_limits(1)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        sock = socket.socket(fileno=int(sys.argv[1]))
        # Whatever a plugin starts must not keep it open: its end tells the owner of ours.
        sock.set_inheritable(False)
        runner.run(_serve(sock))


def _end_with_owner() -> None:
    """Has the system kill this process when the owner dies, whatever keeps the event loop busy by then.

    Where the owner is gone already, or the system cannot do that, the end of the socket tells.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _serve(sock: socket.socket) -> None:
    worker = Worker()
    await worker.connect(sock)
    await worker.ended
    logging.shutdown()
    # No clean end: nothing here is to be kept, and a plugin that hangs must not hold it up.
    os._exit(0)


if __name__ == "__main__":
    main()
