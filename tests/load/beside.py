"""Shops of several processes beside one: the same requests to each in turns, and the CPU of all processes."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from secrets import token_hex
from statistics import median
from typing import Any, Self

import grpc

from tests.load.cpu import cpu_seconds, pinned
from tests.load.rows.base import World
from tests.load.traffic import Traffic, recommend
from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2_grpc

# One new event per so many calls, so that caches help no more than they would in life.
CALLS_PER_EVENT = 10
ROUNDS = 5
_WARM = 300
# Of so many answers at most one may lack something, such as a ranker that was late on a busy machine.
_LACKING = 20


@dataclass(frozen=True)
class Served:
    """A shop that is served.

    Attributes:
        front: Address of RecommendationService.
        profiles: Address of ProfileService.
        pids: Its processes, those that they have started not counted.
    """

    front: str
    profiles: str
    pids: tuple[int, ...]


def cpu_per_request(world: World, shops: Mapping[str, Served]) -> dict[str, list[float]]:
    """Milliseconds of CPU per `Recommend` in each round, of each shop.

    One caller asks the shops in turn, call by call: what the machine does besides, and what each finds left in the
    caches of the core when its turn comes, is the same for all.
    """
    traffic = Traffic(world.shop.data, world.scratch)
    found: dict[str, list[float]] = {name: [] for name in shops}
    with pinned(world.generator_cores):
        warm = _used(shops, traffic.subjects(_WARM))
        # At least half a second a round and shop: the system counts in steps of 10 ms.
        count = max(200, round(max(0.5, world.seconds / ROUNDS) * 1000 / min(warm.values())))
        for number in range(ROUNDS):
            for name, milliseconds in _used(shops, traffic.subjects(count)).items():
                found[name].append(milliseconds)
            said = ", ".join(f"{name} {times[-1]:.2f} ms" for name, times in found.items())
            world.say(f"round {number + 1} of {ROUNDS}, {count} calls each: {said}")
    return found


def ratio(many: Sequence[float], one: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return median(m / o for m, o in zip(many, one, strict=True))


def _used(shops: Mapping[str, Served], subjects: Sequence[common_pb2.Subject]) -> dict[str, float]:
    before = {name: cpu_seconds(*shop.pids) for name, shop in shops.items()}
    asyncio.run(_drive(list(shops.values()), subjects))
    after = {name: cpu_seconds(*shop.pids) for name, shop in shops.items()}
    return {name: 1000 * (after[name] - before[name]) / len(subjects) for name in shops}


class _Caller:
    """Asks one shop, over one connection."""

    def __init__(self, front: grpc.aio.Channel, beside: grpc.aio.Channel) -> None:
        self._windows: Any = recommendation_pb2_grpc.RecommendationServiceStub(front)
        self._profiles: Any = profile_pb2_grpc.ProfileServiceStub(beside)
        self.lacking: list[str] = []

    @classmethod
    async def to(cls, shop: Served, closing: AsyncExitStack) -> Self:
        front, beside = grpc.aio.insecure_channel(shop.front), grpc.aio.insecure_channel(shop.profiles)
        return cls(await closing.enter_async_context(front), await closing.enter_async_context(beside))

    async def call(self, subject: common_pb2.Subject, *, event: bool) -> None:
        window = await self._windows.Recommend(recommend(subject), timeout=10)
        if not window.items:
            raise RuntimeError(f"an answer is empty: {window.degraded}")
        self.lacking += [part.component for part in window.degraded]
        if event:
            viewed = profile_pb2.Event(
                event_id=token_hex(8),
                subject=subject,
                item_id=window.items[0].item_id,
                type=profile_pb2.EVENT_TYPE_VIEW,
            )
            await self._profiles.RecordEvents(profile_pb2.RecordEventsRequest(events=[viewed]), timeout=10)


async def _drive(shops: Sequence[Served], subjects: Sequence[common_pb2.Subject]) -> None:
    """Asks each shop for a window for each subject.

    Raises:
        RuntimeError: An answer is empty, or too many lack something: a quick wrong answer is none.
    """
    async with AsyncExitStack() as closing:
        callers = [await _Caller.to(shop, closing) for shop in shops]
        for number, subject in enumerate(subjects):
            for caller in callers:
                await caller.call(subject, event=number % CALLS_PER_EVENT == 0)
        for caller in callers:
            if len(caller.lacking) > len(subjects) / _LACKING:
                raise RuntimeError(
                    f"{len(caller.lacking)} of {len(subjects)} answers lack {sorted(set(caller.lacking))}"
                )
