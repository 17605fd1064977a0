"""How fast the profile store is, beside SQLite writing the same rows: `python tests/integration/profile/measure.py`.

Shoppers come with a history of 30 events around a taste of three leaf categories out of 300. Each batch of 100 holds
sessions of ``--session`` events by one shopper; with 1, every event is of another shopper: the worst case.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from vitrine.config import load_config
from vitrine.domain.events import Event
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.profile import Profiles
from vitrine.profile.schema import connect_writer
from vitrine.profile.store import Changes, Store, encode_event, event_key
from vitrine.wire.profiles import profile_from_proto, profile_to_proto

NOW = 1_700_000_000.0
ITEMS, LEAVES = 10_000, 300
rng = np.random.default_rng(0)
serial = count()


def keys(item: str) -> ItemKeys:
    leaf = int(item[4:]) % LEAVES
    top, middle = f"Top {leaf % 10}", f"Top {leaf % 10} > Middle {leaf % 60}"
    return ItemKeys((top, middle, f"{middle} > Leaf {leaf}"), f"Brand {int(item[4:]) % 97}", str(leaf % 12))


def make(shoppers: int, total: int, session: int) -> list[Event]:
    made: list[Event] = []
    while len(made) < total:
        who = int(rng.integers(shoppers))
        for at in range(session):
            leaf = (who * 7 + int(rng.integers(3)) * 31) % LEAVES
            item = f"item{leaf + LEAVES * int(rng.integers(ITEMS // LEAVES)):06d}"
            kind = int(rng.choice([1, 2, 3, 4, 6, 7], p=[0.3, 0.4, 0.1, 0.08, 0.07, 0.05]))
            name = f"5f0c9d1e-7a52-4bb1-{next(serial):012d}"
            moment = NOW - 80_000 + len(made) * 0.01 + at
            made.append(
                Event(
                    event_id=name, subject=f"u:{who}", item_id=item, type=kind, time=moment, value_micros=4_950_000,
                    currency="EUR", request_id=f"r-{who}", scene="home", channel="web",
                )
            )  # fmt: skip
    return made


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def speed(events: int, action: Callable[[], object]) -> str:
    """By the clock and by the processor's time, which other programs of the machine do not slow down."""
    processor = time.process_time()
    seconds = timed(action)
    processor = time.process_time() - processor
    return f"{events / seconds:,.0f} events/s ({processor / events * 1e6:.0f} µs of processor an event)"


def batches(events: Sequence[Event], size: int) -> list[Sequence[Event]]:
    return [events[at : at + size] for at in range(0, len(events), size)]


def stream(store: Profiles, parts: Sequence[Sequence[Event]], threads: int) -> str:
    def submit(mine: Sequence[Sequence[Event]]) -> None:
        for part in mine:
            store.record(part).result()

    workers = [threading.Thread(target=submit, args=(parts[n::threads],)) for n in range(threads)]

    def go() -> None:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return speed(sum(map(len, parts)), go)


def bare(file: Path, parts: Sequence[Sequence[Event]], states: dict[str, bytes]) -> str:
    """The same rows, look-ups of keys and syncs, everything else prepared; every profile whole at every event."""
    with closing(connect_writer(file)) as connection:
        store, seq = Store(connection), count(1)
        work = [
            (
                [event_key("default", e.event_id) for e in part],
                Changes(
                    [(next(seq), 0, NOW, "default/" + e.subject, encode_event(e), 0) for e in part],
                    (),
                    sorted(event_key("default", e.event_id) for e in part),
                    [(s, states[s]) for s in dict.fromkeys("default/" + e.subject for e in part)],
                    (),
                ),
            )
            for part in parts
        ]

        def go() -> None:
            for names, changes in work:
                store.begin()
                store.known_keys(names)
                store.add(changes)
                store.commit()

        return speed(sum(map(len, parts)), go)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shoppers", type=int, default=5_000)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--session", type=int, default=5)
    parser.add_argument("--submitters", type=int, default=8)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = Profiles.open(Path(folder), load_config(), keys, lambda: NOW)
        history = make(told.shoppers, told.shoppers * 30, told.session)
        print("load, batches of 1,000:", stream(store, batches(history, 1000), 2))
        live = make(told.shoppers, told.events, told.session)
        print(
            f"{told.submitters} submitters, batches of 100:",
            stream(store, batches(live, 100), told.submitters),
        )
        with closing(apsw.Connection(str(Path(folder) / "profile.db"))) as connection:
            rows: list[Any] = connection.execute("SELECT subject, state FROM profiles").fetchall()
        states: dict[str, bytes] = dict(rows)
        print(f"a profile: {np.mean([len(state) for state in states.values()]):,.0f} bytes")
        for size in (100, 100 * told.submitters):
            print(
                f"bare SQLite, {size} a transaction:",
                bare(Path(folder) / f"{size}.db", batches(live, size), states),
            )
        ones = [timed(store.record([e]).result) * 1e3 for e in make(told.shoppers, 1000, 1)]
        print("one event: p50 {:.2f} ms, p99 {:.2f} ms".format(*np.percentile(ones, [50, 99])))
        people = [Subject(str(n)) for n in range(min(told.shoppers, 5000))]
        store.batch_get(people)
        hit = timed(lambda: [store.get(one) for one in people]) / len(people)
        store.close()
        store = Profiles.open(Path(folder), load_config(), keys, lambda: NOW)
        miss = timed(lambda: [store.get(one) for one in people]) / len(people)
        profiles = store.batch_get(people[:1000])
        messages = [profile_to_proto(profile, NOW) for profile in profiles]
        to = timed(lambda: [profile_to_proto(profile, NOW) for profile in profiles]) / len(profiles)
        back = timed(lambda: [profile_from_proto(message) for message in messages]) / len(profiles)
        print(f"get: hit {hit * 1e6:.2f} µs, miss {miss * 1e6:.0f} µs; ", end="")
        print(f"to protobuf {to * 1e6:.0f} µs, from it {back * 1e6:.0f} µs")
        store.close()


if __name__ == "__main__":
    main()
