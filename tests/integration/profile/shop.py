"""A shop and its shoppers for tests of the store: what a store answers, and what one would that never lags."""

import random
import shutil
from pathlib import Path

from vitrine.config import Config, load_config
from vitrine.domain.events import Event, EventType
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.profile import Profiles
from vitrine.profile.columns import empty_profile, to_profile
from vitrine.profile.encoding import decode_state, encode_state
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState
from vitrine.wire.profiles import profile_to_proto

NOW = 1_700_000_000.0
RULES = Rules.of(load_config().profile)
PEOPLE = [Subject(f"{n}") for n in range(6)]


def config(**profile: float) -> Config:
    base = load_config()
    return base.model_copy(update={"profile": base.profile.model_copy(update=profile)})


class Shop:
    """A catalogue whose prices change all the time: what an item counts as is only known when its event comes."""

    def __init__(self) -> None:
        self.asked = 0

    def keys(self, item: str) -> ItemKeys | None:
        self.asked += 1
        if item == "unknown":
            return None
        return ItemKeys(("All", f"All > {item}"), f"brand {self.asked % 3}", str(self.asked % 5))


def make_events(chance: random.Random, start: int, count: int) -> list[Event]:
    return [
        Event(
            event_id=f"event {n}",
            subject=chance.choice(PEOPLE).key,
            item_id=chance.choice(["lamp", "mug", "vase", "unknown"]),
            type=chance.choice([t for t in EventType if t is not EventType.SEARCH]),
            time=NOW - chance.choice([0.0, 1.5, chance.random() * 80_000]),
            quantity=chance.choice([1.0, 2.5]),
            rating=chance.choice([float("nan"), 4.0]),
        )
        for n in range(start, start + count)
    ]


def as_after_a_kill(source: Path, target: Path) -> Path:
    """A copy of the files as they lie there now, under a process that knows nothing of it."""
    target.mkdir()
    for name in ("profile.db", "profile.db-wal"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    return target


def answered(profiles: Profiles) -> list[bytes]:
    """Everybody's profile to the last bit, but for the watermark of the reading."""
    found = []
    for profile in profiles.batch_get(PEOPLE):
        message = profile_to_proto(profile, NOW)
        message.watermark = ""
        found.append(message.SerializeToString(deterministic=True))
    return found


class Whole:
    """What a store would answer that counts every event in its profile at once."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.states: dict[str, ProfileState] = {}
        self.seq = 0

    def record(self, events: list[Event]) -> None:
        """As one call does: an item is looked up once."""
        known: dict[str, ItemKeys | None] = {}
        for event in events:
            if event.item_id not in known:
                known[event.item_id] = self.shop.keys(event.item_id)
            blob = encode_state(self.states.get(event.subject, ProfileState()))
            state = self.states[event.subject] = decode_state(blob)
            state.apply(event, known[event.item_id], RULES)
            self.seq += 1
            state.version = self.seq

    def answered(self) -> list[bytes]:
        found = []
        for subject in PEOPLE:
            state = self.states.get(subject.key)
            profile = empty_profile(RULES, subject) if state is None else to_profile(state, RULES, subject)
            message = profile_to_proto(profile, NOW)
            message.watermark = ""
            found.append(message.SerializeToString(deterministic=True))
        return found
