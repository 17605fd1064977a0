"""In one process a thread makes all calls of a request; what hangs is left behind, and nothing is done twice."""

import gc
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.support.batches import batch_of
from tests.support.hosted import Ranker, host
from tests.support.until import until_async
from vitrine.config import Config, load_config
from vitrine.domain.answer import DegradationCode, Versions
from vitrine.domain.candidates import Candidates, Ranked, RankedList, Retrieved
from vitrine.domain.profile import ItemHistory, Profile
from vitrine.domain.stages import Spent, Stage, current_spent
from vitrine.domain.subject import Subject
from vitrine.errors import NotFound, NotReady, Unavailable
from vitrine.hosting import Hosted, Leg, Waiter
from vitrine.hosting.workers import Workers
from vitrine.ranking import RankingQuery
from vitrine.recommendation.local import LocalServices
from vitrine.recommendation.query import Window, WindowQuery
from vitrine.recommendation.recommender import Recommender
from vitrine.retrieval import RetrievalQuery
from vitrine.rpc.metrics import Metrics

WHO = Subject("c1")


class Told(Metrics):
    """Remembers how long requests waited for services."""

    def __init__(self) -> None:
        super().__init__()
        self.services: list[tuple[str, float]] = []

    def service(self, name: str, seconds: float) -> None:
        self.services.append((name, seconds))


class Shop:
    """Profiles, a retriever and an engine that do what they are told; `calls` has who was called in which thread."""

    def __init__(self, **does: Callable[[], object]) -> None:
        self.does = does
        self.calls: list[tuple[str, int]] = []
        self.plugin: Hosted | None = None
        self.in_memory: Profile | None = None

    def _called(self, name: str) -> None:
        self.calls.append((name, threading.get_ident()))
        self.does.get(name, lambda: None)()

    def peek(self, subject: Subject, min_watermark: int = 0) -> Profile | None:
        return self.in_memory

    def get(self, subject: Subject, min_watermark: int = 0) -> Profile:
        self._called("stale" if min_watermark else "profile")
        return Profile(subject=subject, watermark=7)

    def retrieve(self, query: RetrievalQuery) -> Retrieved:
        self._called("retrieval")
        found = Candidates(
            ["a", "b"], ("popular",), np.ones(2, np.uint32), np.array([[2.0], [1.0]], np.float32)
        )
        return Retrieved(found, 1, Versions(bundle="b1"), stages=(Stage("merge", 0.0, 0.0),))

    def rank(self, query: RankingQuery, leg: Leg) -> Ranked:
        self._called("ranking")
        if self.plugin is not None:
            leg.call(self.plugin, "score", batch_of(2), check=lambda _: "")
        order = np.array([1, 0], np.int64)[: len(query.candidates)]
        one = RankedList(order, np.ones(2, np.float32), np.ones((2, 0), np.float32), [None] * 2)  # type: ignore[list-item]
        return Ranked([one], (), Versions(bundle="b1"))


def front(shop: Shop, workers: Workers, metrics: Metrics | None = None) -> Recommender:
    made: Any = shop
    local = LocalServices(made, lambda _: (made, made), Waiter(workers))

    def begin() -> Config:
        return load_config()

    return Recommender(local, begin, lambda: 1e9, metrics or Metrics())


async def window(
    shop: Shop, workers: Workers, seconds: float = 5, metrics: Metrics | None = None, watermark: int = 0
) -> Window:
    query = WindowQuery(WHO, "home", min_watermark=watermark)
    return await front(shop, workers, metrics).recommend(query, seconds)


def ids(found: Window) -> list[str]:
    return [item.item_id for item in found.items]


def codes(found: Window) -> list[tuple[str, DegradationCode]]:
    return [(part.component, part.code) for part in found.degraded]


async def test_one_thread_makes_all_calls_and_it_is_not_that_of_the_event_loop(workers: Workers) -> None:
    shop = Shop()
    found = await window(shop, workers)
    assert ids(found) == ["b", "a"]
    assert [name for name, _ in shop.calls] == ["profile", "retrieval", "ranking"]
    assert len({thread for _, thread in shop.calls} | {threading.get_ident()}) == 2
    assert (found.profile_watermark, found.degraded, found.versions.bundle) == (7, (), "b1")


@pytest.mark.parametrize("name", ["profile", "retrieval"])
async def test_what_hangs_costs_its_share_and_its_part(
    workers: Workers, gate: threading.Event, name: str
) -> None:
    shop, metrics, request, seconds = Shop(**{name: lambda: gate.wait(20)}), Told(), Spent(), 2.0
    shares = load_config().recommendation
    current_spent.set(request)
    found = await window(shop, workers, seconds, metrics)
    assert codes(found) == [(name, DegradationCode.TIMEOUT)]
    assert found.degraded[0].message == f"{name}: did not answer in its share of the deadline"
    assert ids(found) == (["b", "a"] if name == "profile" else [])
    assert [called for called, _ in shop.calls].count(name) == 1
    assert workers.given_up == 0, "what is the server's own comes back"
    share = shares.profile_share if name == "profile" else shares.retrieval_share
    waited = dict(metrics.services)
    assert waited[name] == pytest.approx(share * seconds, rel=0.3)
    assert sum(waited.values()) < seconds
    stages = {stage.name: stage.seconds for stage in request.close()}
    assert stages[name] == pytest.approx(share * seconds, rel=0.3)


async def test_a_plugin_that_hangs_has_nothing_asked_twice(workers: Workers, gate: threading.Event) -> None:
    shop, metrics = Shop(), Told()
    shop.plugin = host(Ranker(partial(gate.wait, 20)), budget=0.4)
    found = await window(shop, workers, 5, metrics)
    assert ids(found) == ["b", "a"]
    assert [name for name, _ in shop.calls] == ["profile", "retrieval", "ranking", "ranking"]
    waited = dict(metrics.services)
    assert [name for name, _ in metrics.services] == ["profile", "retrieval", "ranking"]
    assert waited["ranking"] >= 0.4 > waited["retrieval"] + waited["profile"]


async def test_when_the_time_is_over_what_is_known_is_shown(workers: Workers, gate: threading.Event) -> None:
    shop, metrics = Shop(ranking=lambda: gate.wait(20)), Told()
    started = time.monotonic()
    found = await window(shop, workers, 1.0, metrics)
    assert time.monotonic() - started < 1.0 + 0.3
    assert ids(found) == ["a", "b"], "as they were found"
    assert codes(found) == [("ranking", DegradationCode.TIMEOUT)]
    assert found.profile_watermark == 7
    assert [name for name, _ in shop.calls] == ["profile", "retrieval", "ranking"]
    assert dict(metrics.services)["ranking"] >= 0.5


async def test_without_any_time_an_answer_comes_at_once(workers: Workers) -> None:
    found = await window(Shop(), workers, 0.0)
    assert codes(found) == [(name, DegradationCode.TIMEOUT) for name in ("profile", "retrieval")]


@pytest.mark.parametrize("in_memory", [True, False])
async def test_what_a_shopper_hid_is_not_shown_where_no_thread_was_free(
    workers: Workers, gate: threading.Event, in_memory: bool
) -> None:
    shop = Shop()
    recommender, query = front(shop, workers), WindowQuery(WHO, "home")
    assert ids(await recommender.recommend(query, 5)) == ["b", "a"]
    if in_memory:
        zero, hidden = np.zeros(1), np.array([-1], np.int8)
        items = ItemHistory(
            ("a",), zero, zero, zero, zero, zero, zero, zero, zero, np.zeros(1, np.float32), hidden
        )
        shop.in_memory = Profile(WHO, watermark=9, items=items)

    def block() -> None:
        gate.wait(20)

    for _ in range(2):
        workers.run(block)
    found = await recommender.recommend(query, 0.2)
    assert ids(found) == (["b"] if in_memory else ["a", "b"])
    missing = ["retrieval"] if in_memory else ["profile", "retrieval"]
    assert codes(found)[: len(missing)] == [(name, DegradationCode.TIMEOUT) for name in missing]
    assert found.profile_watermark == (9 if in_memory else 0)


async def test_an_older_profile_is_better_than_none(workers: Workers) -> None:
    def behind() -> None:
        raise NotReady("is behind")

    shop = Shop(stale=behind)
    found = await window(shop, workers, watermark=9)
    assert codes(found) == [("profile", DegradationCode.STALE)]
    assert [name for name, _ in shop.calls] == ["stale", "profile", "retrieval", "ranking"]
    assert found.profile_watermark == 7


async def test_what_fails_is_left_out_and_what_the_caller_named_is_not_found(workers: Workers) -> None:
    def broken() -> None:
        raise KeyError("secret")

    def missing() -> None:
        raise NotFound("item_id", "is not there")

    found = await window(Shop(profile=broken, ranking=broken), workers)
    assert codes(found) == [("profile", DegradationCode.FAILED), ("ranking", DegradationCode.FAILED)]
    assert ids(found) == ["a", "b"]
    assert "secret" not in str(found.degraded)
    with pytest.raises(NotFound):
        await front(Shop(retrieval=missing), workers).explain(WindowQuery(WHO, "home"), "x", 5)


@pytest.mark.parametrize("fails", [False, True])
async def test_what_a_request_worked_with_is_freed_without_the_collector(
    workers: Workers, fails: bool
) -> None:
    def broken() -> None:
        raise Unavailable("cannot be read")

    gc.collect()
    gc.disable()
    try:
        shop = Shop(retrieval=broken) if fails else Shop()
        freed = weakref.ref(shop)
        await window(shop, workers)
        del shop
        await until_async("it is freed", lambda: freed() is None)
    finally:
        gc.enable()
