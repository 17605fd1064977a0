"""Records events until it is killed and prints the numbers of those acknowledged: ``recorder.py STORE FIRST``.

Event n is of subject n % 7 and item n % 11. Four threads record batches of nine at the same time. With ``lag`` as a third
argument, little may wait: profiles and keys are written all the time.
"""

import sys
import threading
from itertools import count
from pathlib import Path

from vitrine.config import load_config
from vitrine.domain.events import Event
from vitrine.profile import Profiles, recovery

NOW = 1_700_000_000.0
BATCH = 9


def make_event(number: int) -> Event:
    """Event ``number``, the same each time."""
    return Event(
        event_id=f"event {number}",
        subject=f"u:{number % 7}",
        item_id=f"item {number % 11}",
        type=2,
        time=NOW - 1000 + number / 1000,
    )


def main() -> None:
    """Never returns."""
    if sys.argv[3:] == ["lag"]:
        for name, most in (("MAX_ROWS", 6), ("MAX_WAITING", 30), ("MAX_KEYS", 50)):
            setattr(recovery, name, most)
    store = Profiles.open(Path(sys.argv[1]), load_config(), lambda _: None, lambda: NOW)
    batches = count(int(sys.argv[2]) // BATCH)

    def stream() -> None:
        while True:
            numbers = range((start := next(batches) * BATCH), start + BATCH)
            store.record([make_event(number) for number in numbers]).result()
            print(f"{start} {start + BATCH}\n", end="", flush=True)

    threads = [threading.Thread(target=stream) for _ in range(4)]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main()
