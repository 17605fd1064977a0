"""Interests are read once for a page of windows, and always those that were asked for."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from vitrine.domain.events import EventType
from vitrine.domain.profile import ItemHistory, Profile, RecentEvents
from vitrine.domain.request import NO_CONTEXT, Context
from vitrine.domain.subject import Subject
from vitrine.errors import InferenceError
from vitrine.interest import InterestModel, Interests
from vitrine.interest.reading import STEP_SECONDS, InterestReader

NOW = 1_000_000_000.0
VECTORS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


class Encoder:
    """Adds vectors up, less of older ones; counts its runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False

    def run(
        self, feeds: Mapping[str, npt.NDArray[Any]], /, *, budget: float | None = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        self.runs += 1
        if self.fails:
            raise InferenceError("broken")
        said = (feeds["recent"] / (1 + feeds["ages"])[:, :, None]).sum(axis=1) + feeds["history"]
        return dict.fromkeys(("short", "long", "interest"), said.astype(np.float32))


def rows_of(item_ids: Sequence[str]) -> npt.NDArray[np.int32]:
    return np.array([int(i[1:]) if int(i[1:]) < len(VECTORS) else -1 for i in item_ids], np.int32)


def shopper(*items: int, who: str = "ann", version: int = 1) -> Profile:
    n = len(items)
    ids = tuple(f"i{k}" for k in items)
    times = NOW - 60.0 * np.arange(n, 0, -1, dtype=np.float64)
    history = ItemHistory(
        item_ids=ids,
        last_time=times,
        long_term=np.ones(n),
        short_term=np.ones(n),
        opinion=np.zeros(n, np.int8),
    )
    recent = RecentEvents(ids, np.full(n, EventType.VIEW, np.int8), times)
    subject = Subject.from_key(f"u:{who}")
    return Profile(subject, version, event_count=n, items=history, recent=recent)


class Reading:
    """A reader with its encoder."""

    def __init__(self, kept: int = 100) -> None:
        self.encoder = Encoder()
        self.reader = InterestReader(InterestModel(self.encoder, VECTORS), kept)

    def __call__(
        self, *who: Profile, context: Context = NO_CONTEXT, now: float = NOW, revision: int = 0
    ) -> Interests:
        return self.reader.read(who, [context] * len(who), now, rows_of, VECTORS, revision)


@pytest.fixture
def read() -> Reading:
    return Reading()


def test_who_asks_again_gets_the_same_without_another_run(read: Reading) -> None:
    first, again = read(shopper(1, 2)), read(shopper(1, 2), now=NOW + STEP_SECONDS / 2)
    assert read.encoder.runs == 1
    assert again is first
    with pytest.raises(ValueError, match="read-only"):
        first.interest[0, 0] = 1


@pytest.mark.parametrize(
    "other",
    [
        {"profile": shopper(1, 2, version=2)},
        {"profile": shopper(1, 2, who="bob")},
        # A caller may send whatever it likes under a version.
        {"profile": shopper(2, 1)},
        {"profile": replace(shopper(1, 2), short_half_life=5.0)},
        {"context": Context(item_ids=("i3",))},
        {"context": Context(basket=("i3",))},
        {"now": NOW + STEP_SECONDS},
        {"revision": 1},
    ],
)
def test_whatever_else_is_asked_is_read_anew(read: Reading, other: dict[str, Any]) -> None:
    read(shopper(1, 2))
    asked: dict[str, Any] = {
        "now": NOW,
        "context": NO_CONTEXT,
        "revision": 0,
        "profile": shopper(1, 2),
    } | other
    profile = asked.pop("profile")
    found = read(profile, **asked)
    assert read.encoder.runs == 2
    np.testing.assert_array_equal(found.interest, Reading(kept=0)(profile, **asked).interest)


def test_what_is_remembered_never_shows_in_an_answer() -> None:
    with_memory, without = Reading(), Reading(kept=0)
    for k, now in enumerate(np.arange(NOW, NOW + 40, 3)):
        profile = shopper(k % 3, 4)
        np.testing.assert_array_equal(
            with_memory(profile, now=float(now)).interest, without(profile, now=float(now)).interest
        )
    assert with_memory.encoder.runs < without.encoder.runs


def test_a_batch_is_read_as_a_whole(read: Reading) -> None:
    read(shopper(1))
    both = read(shopper(1), shopper(2))
    assert read.encoder.runs == 2
    assert both.interest.shape == (2, 4)
    np.testing.assert_array_equal(both.interest[1], read(shopper(2)).interest[0])


def test_memory_is_bounded_and_the_latest_stay() -> None:
    read = Reading(kept=2)
    for k in (1, 2, 1, 3, 1):
        read(shopper(k))
    assert read.encoder.runs == 3
    read(shopper(2))
    assert read.encoder.runs == 4
    assert len(read.reader._known) == 2


def test_a_failure_is_not_remembered(read: Reading) -> None:
    read.encoder.fails = True
    with pytest.raises(InferenceError):
        read(shopper(1))
    read.encoder.fails = False
    assert read(shopper(1)).interest.any()


def test_many_threads_read_what_one_does(read: Reading) -> None:
    alone = Reading(kept=0)
    shoppers = [shopper(k % 5, (k + 1) % 5) for k in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, shoppers))
    for profile, one in zip(shoppers, found, strict=True):
        np.testing.assert_array_equal(one.interest, alone(profile).interest)
