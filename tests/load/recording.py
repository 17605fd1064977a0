"""What recording events takes beside bare stores that write rows ready made; a process of its own.

Ours is everything between the bytes of a request and those of its answer; the wire is left out. Bare stores run each of our
transactions again, in copies of the file as it was when measuring began, with our pragmas and one sync each:

- ``bare``: look-ups of keys, the rows of the log, the key of every event, and the profiles that we wrote in it;
- ``replayed``: the same, but with the keys that we wrote in it, which come later and lie beside each other;
- ``whole``: as ``bare``, but with the whole profile of every shopper at every event.

All take turns.
"""

import argparse
import json
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from tests.load.messages import read
from tests.load.traffic import Traffic
from vitrine.api.profile.v1 import profile_pb2
from vitrine.app.shop import Stores
from vitrine.config import load_config
from vitrine.domain.events import EventStatus
from vitrine.profile import Recorded, recovery
from vitrine.profile.lag import MAX_WAITING
from vitrine.profile.schema import connect_writer
from vitrine.profile.store import Changes, Store
from vitrine.wire.events import events_from_proto, merge_verdicts, verdicts_to_proto
from vitrine.wire.tokens import WATERMARK, encode_token

EVENTS = 100
# Calls on their way at a time, as a server has them; they share transactions.
IN_FLIGHT = 8
ROUNDS = 6
_BARE = ("bare", "replayed", "whole")


class Transaction(NamedTuple):
    """What one of ours asked and wrote."""

    keys: Sequence[bytes]
    changes: Changes


@dataclass
class Spy:
    """Notes what the writing thread asks of its store."""

    store: Store
    on: bool = False
    seen: list[Transaction] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Puts itself between."""
        known_keys, add = self.store.known_keys, self.store.add
        asked: list[Sequence[bytes]] = []

        def spy_keys(keys: Sequence[bytes]) -> set[bytes]:
            asked[:] = [keys]
            return known_keys(keys)

        def spy_add(changes: Changes) -> None:
            if self.on:
                self.seen.append(Transaction(asked[0], changes))
            add(changes)

        self.store.known_keys, self.store.add = spy_keys, spy_add  # type: ignore[method-assign]


class Ours:
    """The profile store of a shop, called as the servicer calls it."""

    def __init__(self, stores: Stores, now: float) -> None:
        self._profiles = stores.profiles
        self._now = now
        self.spy = Spy(stores.profiles._store)

    def go(self, requests: Sequence[bytes]) -> None:
        """Records requests, some at a time."""
        waiting: deque[tuple[profile_pb2.RecordEventsRequest, Future[Recorded]]] = deque()
        for data in requests:
            # Of the events' own time, which says how they are counted.
            self._now += 0.01
            request = profile_pb2.RecordEventsRequest.FromString(data)
            events, _, _ = events_from_proto(request.events, self._now)
            waiting.append((request, self._profiles.record(events, now=self._now)))
            if len(waiting) == IN_FLIGHT:
                self._answer(*waiting.popleft())
        while waiting:
            self._answer(*waiting.popleft())

    def _answer(self, request: profile_pb2.RecordEventsRequest, recording: "Future[Recorded]") -> None:
        recorded = recording.result()
        verdicts = merge_verdicts(len(request.events), (), recorded.verdicts, {})
        if any(verdict.status is not EventStatus.ACCEPTED for verdict in verdicts):
            raise RuntimeError("an event was not accepted")
        profile_pb2.RecordEventsResponse(
            verdicts=verdicts_to_proto(verdicts), watermark=encode_token(WATERMARK, recorded.watermark)
        ).SerializeToString()


class BareStore:
    """SQLite alone, with our pragmas."""

    def __init__(self, file: Path) -> None:
        self._store = Store(connect_writer(file))

    def go(self, work: Sequence[Transaction]) -> None:
        """Runs transactions."""
        store = self._store
        for transaction in work:
            store.begin()
            store.known_keys(transaction.keys)
            store.add(transaction.changes)
            store.commit()

    def with_whole_profiles(self, work: Sequence[Transaction]) -> list[Transaction]:
        """The same transactions of a store in which no profile lags."""
        made: list[Transaction] = []
        for transaction in work:
            states = self._store.states(sorted({row[3] for row in transaction.changes.rows}))
            # Longer by a row of an item and one of the latest events: a page that stays the same is not written.
            grown = [(subject, state + bytes(80)) for subject, state in states.items()]
            made.append(Transaction(transaction.keys, transaction.changes._replace(states=grown)))
        return made


def with_every_key(work: Sequence[Transaction]) -> list[Transaction]:
    """The same transactions of a store in which no key lags."""
    return [one._replace(changes=one.changes._replace(keys=sorted(one.keys))) for one in work]


def timed(events: int, work: Callable[[], object]) -> tuple[float, float]:
    """Microseconds of wall and of CPU, per event."""
    started, processor = time.perf_counter(), time.process_time()
    work()
    wall, processor = time.perf_counter() - started, time.process_time() - processor
    return wall / events * 1e6, processor / events * 1e6


def measure(store: Path, requests: Sequence[bytes], warm: int, now: float) -> dict[str, Any]:
    """Microseconds of wall and CPU an event, ours and of the bare stores: medians of rounds."""
    config = load_config()
    # Half of what may wait, so that it is reached before long: profiles are written more often than they would be.
    setattr(recovery, "MAX_WAITING", MAX_WAITING // 2)  # noqa: B010
    found: dict[str, list[tuple[float, float]]] = {"ours": [], **{name: [] for name in _BARE}}
    with Stores.open(store, config, lambda: now) as stores:
        ours = Ours(stores, now)
        connection = stores.profiles._store.connection
        # Until as much waits as ever does; only what comes after that is measured.
        connection.pragma("synchronous", "off")
        ours.go(requests[:warm])
        connection.pragma("synchronous", "full")
        connection.wal_checkpoint()
        bare = {
            name: BareStore(Path(shutil.copy(store / "profile.db", store / f"{name}.db"))) for name in _BARE
        }
        size = (len(requests) - warm) // ROUNDS
        profiles = transactions = 0
        for start in range(warm, len(requests) - size + 1, size):
            part = requests[start : start + size]
            ours.spy.on = True
            found["ours"].append(timed(size * EVENTS, partial(ours.go, part)))
            replayed, ours.spy.seen = ours.spy.seen, []
            ours.spy.on = False
            every = with_every_key(replayed)
            work = {"bare": every, "replayed": replayed, "whole": bare["whole"].with_whole_profiles(every)}
            for name in _BARE:
                found[name].append(timed(size * EVENTS, partial(bare[name].go, work[name])))
            profiles += sum(len(one.changes.states) for one in replayed)
            transactions += len(replayed)
        waiting = {"lag": len(stores.profiles._lag), "keys": len(stores.profiles._writer._memory.keys)}
    events = size * EVENTS * ROUNDS
    answer: dict[str, Any] = {
        name: {"wall": median(w for w, _ in times), "cpu": median(c for _, c in times)}
        for name, times in found.items()
    }
    return answer | {
        "events_per_profile": events / max(profiles, 1),
        "events_per_sync": events / transactions,
        "waiting": waiting,
    }


def main() -> None:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True, help="a copy; it is written to")
    parser.add_argument("--as-of", type=datetime.fromisoformat, required=True)
    parser.add_argument("--warm", type=int, default=1_100, help="calls before the first that is measured")
    parser.add_argument("--calls", type=int, default=600)
    told = parser.parse_args()
    file = told.store / "requests.bin"
    traffic = Traffic(told.data, told.store)
    traffic.events(file, told.warm + told.calls, f"recording-{time.time_ns()}", per_call=EVENTS)
    requests = [
        message.SerializeToString()
        for message in read(file, profile_pb2.RecordEventsRequest, told.warm + told.calls)
    ]
    with threadpool_limits(1):
        print(json.dumps(measure(told.store, requests, told.warm, told.as_of.timestamp())))


if __name__ == "__main__":
    main()
