"""Which workers talk, and which hang.

Looks are counted rather than seconds: should this process have been stopped for a while, it is not they who were silent.
"""

import asyncio
import logging
from collections.abc import Mapping

from vitrine.app.workers.handle import Handle

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# After so many looks in vain one is asked nothing new, after so many it is ended. One that is well says so every second
# (`beats.BEAT_SECONDS`).
SILENT_LOOKS, HANGING_LOOKS = 5, 20
# One that starts has more time: a busy machine takes its while until a process says its first word.
START_LOOKS = 120
# One that has stopped reading, too, is ended as soon as it is silent: so many bytes wait for it. One that talks is only
# behind, with many large requests.
STUCK_BYTES = 16 << 20


def talks(worker: Handle) -> bool:
    """Whether it can be asked: it is ready, and says something now and then."""
    return worker.up and worker.silent <= SILENT_LOOKS


async def watch(workers: Mapping[int, Handle]) -> None:
    """Ends those that hang, again and again."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        for worker in workers.values():
            if not worker.alive:
                continue
            worker.silent += 1
            looks = HANGING_LOOKS if worker.up else START_LOOKS
            if worker.up and worker.unread > STUCK_BYTES:
                looks = SILENT_LOOKS
            if worker.silent > looks:
                log.warning("worker %d does not talk any more; ending it", worker.number)
                worker.kill()
