"""Clients that send events and items all at once until the server is gone, and remember what was acknowledged."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from threading import Lock, Thread

from vitrine.api.common.v1.common_pb2 import Subject
from vitrine.api.profile.v1.profile_pb2 import BatchGetProfilesRequest, Event
from vitrine.client import Timeout, Unavailable, Vitrine, event, item

ACCEPTED, DUPLICATE = 1, 2
# Events of a shopper, each with another item: what a profile says of an item is what became of one event.
EACH = 100
MUCH_LATER = 30.0


class Streams:
    """What some clients send to one server, over its restarts.

    Args:
        items: At least 100 items to buy.
        now: Time of the events, less a second for each.

    Attributes:
        sent: Every event that was sent, by id.
        acknowledged: Ids of those that the server said to have stored.
        accepted: How often each was said to be new.
        calls: How many calls were answered.
        items: Items that were acknowledged.
        price: The latest price of "repriced" that was acknowledged, and the latest that was sent.
    """

    def __init__(self, items: Sequence[str], now: datetime) -> None:
        self.sent: dict[str, Event] = {}
        self.acknowledged: set[str] = set()
        self.accepted: Counter[str] = Counter()
        self.calls = 0
        self.items: set[str] = set()
        self.price = self.price_sent = 0
        self._things, self._now = items, now
        self._lock = Lock()
        self._next: defaultdict[str, count[int]] = defaultdict(count)
        self._goal = 0
        self._end: Callable[[], object] | None = None

    def run(self, address: str, events: int, end: Callable[[], object]) -> None:
        """Sends from six clients; ``end`` ends the server right when so many more events are acknowledged."""
        self._goal, self._end = len(self.acknowledged) + events, end
        senders = [(self._batches, "batch-a"), (self._batches, "batch-b"), (self._singles, "single-a")]
        # These two take turns, and each sends half of what the other just sent.
        senders += [(self._batches, "both"), (self._batches, "both"), (self._upserts, "items")]
        threads = [Thread(target=self._send, args=(address, send, who)) for send, who in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(MUCH_LATER)
            assert not thread.is_alive()
        assert self._end is None, f"only {len(self.acknowledged)} of {self._goal} events were acknowledged"

    def record(self, shop: Vitrine, events: Sequence[Event]) -> list[int]:
        """Sends events, and notes what is answered."""
        with self._lock:
            self.sent.update((e.event_id, e) for e in events)
        statuses = [int(v.status) for v in shop.record_events(events, timeout=MUCH_LATER).verdicts]
        assert set(statuses) <= {ACCEPTED, DUPLICATE}
        with self._lock:
            self.calls += 1
            for sent, status in zip(events, statuses, strict=True):
                self.acknowledged.add(sent.event_id)
                self.accepted[sent.event_id] += status == ACCEPTED
            end = None
            if len(self.acknowledged) >= self._goal:
                end, self._end = self._end, None
        if end is not None:
            end()
        return statuses

    def made(self, who: str, number: int) -> Event:
        """Event ``number`` of a client."""
        return event(
            "purchase",
            f"{who}-{number // EACH}",
            self._things[number % EACH],
            event_id=f"{who}-{number}",
            time=self._now - timedelta(seconds=number),
        )

    def _send(self, address: str, send: Callable[[Vitrine, str], None], who: str) -> None:
        with Vitrine(address) as shop, suppress(Unavailable, Timeout):
            while True:
                send(shop, who)

    def _batches(self, shop: Vitrine, who: str) -> None:
        """Forty events, of which one comes twice, and five that were sent before."""
        step = 20 if who == "both" else 40
        first = step * next(self._next[who])
        numbers = [*range(first, first + 40), first + 7, *range(max(first - 5, 0), first)]
        self.record(shop, [self.made(who, n) for n in numbers])

    def _singles(self, shop: Vitrine, who: str) -> None:
        number = next(self._next[who])
        self.record(shop, [self.made(who, number)])
        if number % 7 == 0:
            assert self.record(shop, [self.made(who, number)]) == [DUPLICATE]

    def _upserts(self, shop: Vitrine, who: str) -> None:
        number = next(self._next[who]) + 1
        self.price_sent = number
        added = f"added-{number}"
        shop.upsert_items([item("repriced", "Repriced", price=number, currency="EUR"), item(added, "Added")])
        self.items.add(added)
        self.price = number

    def check(self, shop: Vitrine) -> set[str]:
        """Asserts that what was acknowledged is there, once; answers the events that are there."""
        found: set[str] = set()
        by_subject: dict[str, dict[str, str]] = defaultdict(dict)
        for event_id, sent in self.sent.items():
            by_subject[sent.subject.user_id][sent.item_id] = event_id
        for names in _parts(sorted(by_subject), 500):
            request = BatchGetProfilesRequest(subjects=[Subject(user_id=name) for name in names])
            answer = shop.profile.BatchGetProfiles(request, timeout=MUCH_LATER)
            for name, profile in zip(names, answer.profiles, strict=True):
                history = profile.items
                assert set(history.purchases) <= {1.0}, f"{name}: an event counts twice"
                assert profile.event_count == len(history.item_ids), f"{name}: events and items disagree"
                assert profile.event_count == shop.get_profile(name, timeout=MUCH_LATER).event_count
                found.update(by_subject[name][i] for i in history.item_ids)
        lost = self.acknowledged - found
        assert not lost, f"{len(lost)} of {len(self.acknowledged)} acknowledged events are lost"
        assert max(self.accepted.values()) == 1, "an event was accepted twice"
        wanted = sorted(self.items)
        there = {i.item_id for ids in _parts(wanted, 500) for i in shop.get_items(ids, timeout=MUCH_LATER)}
        assert not self.items - there, (
            f"{len(self.items - there)} of {len(wanted)} acknowledged items are lost"
        )
        (repriced,) = shop.get_items(["repriced"])
        assert self.price <= repriced.price.micros // 1_000_000 <= self.price_sent, "a price is lost"
        return found


def _parts(names: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (names[at : at + size] for at in range(0, len(names), size))
