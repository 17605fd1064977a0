"""Which bundle is served: what a wanted version picks, what is kept, what is let go of."""

import gc
import time
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.twins import Twins
from vitrine.app.generations import Generation, Generations
from vitrine.app.shop import Shop
from vitrine.config import load_config
from vitrine.domain.candidates import Candidates, Ranked, Retrieved
from vitrine.domain.clock import system_clock
from vitrine.domain.profile import Profile
from vitrine.hosting import Waiter
from vitrine.hosting.workers import Workers
from vitrine.ranking import RankingQuery, ShopperQuery
from vitrine.recommendation.local import LocalServices
from vitrine.recommendation.ports import Ports
from vitrine.retrieval import RetrievalQuery


def bare(version: str) -> Generation:
    return Generation(version, load_config(), None, None, None, 0.0)


@pytest.fixture
def twins(tmp_path: Path) -> Twins:
    return Twins.make(tmp_path / "bundles", 200)


@pytest.fixture
def shop(twins: Twins, tmp_path: Path) -> Iterator[Shop]:
    with ExitStack() as closing:
        yield Shop.open(
            twins.fill(tmp_path / "store"), twins.folder, load_config(twins.config), system_clock, closing
        )


def test_a_wanted_version_is_picked_while_it_is_there() -> None:
    now = 0.0
    served = Generations(bare("a"), keep=60, monotonic=lambda: now)
    assert [served.pick(v).version for v in ("", "a", "b")] == ["a", "a", "a"]
    served.switch(bare("b"))
    assert [served.pick(v).version for v in ("", "a", "b", "c")] == ["b", "a", "b", "b"]
    served.switch(bare("c"))
    assert [served.pick(v).version for v in ("a", "b", "c")] == ["c", "b", "c"], "at most one is kept"
    now = 59.0
    served.expire()
    assert served.pick("b").version == "b"
    now = 60.0
    served.expire()
    assert served.pick("b").version == "c"
    assert served.previous is None


def test_a_process_says_what_it_does_not_make() -> None:
    served = Generations(bare("a"))
    with pytest.raises(LookupError):
        served.retriever("")
    with pytest.raises(LookupError):
        served.both("a")


def test_what_was_replaced_is_freed_without_the_collector(twins: Twins, shop: Shop) -> None:
    """What was there when the server froze its objects is never looked at by the collector again."""
    gc.collect()
    gc.disable()
    try:
        freed: list[weakref.ref[Any]] = []
        listening = len(shop.stores.catalog._listeners)
        # The first one too, and those that were made and warmed up since the collector was turned off.
        for swaps in range(4):
            if swaps < 3:
                served = shop.reloader.generations.current
                freed += map(weakref.ref, (served, served.attached, served.engine))
                del served
            twins.swap()
            assert shop.reloader.reload().switched
        assert [ref() for ref in freed] == [None] * 9
        assert len(shop.stores.catalog._listeners) == listening + 1, "that of the one before"
    finally:
        gc.enable()


async def test_a_request_ends_with_the_bundle_that_it_began_with(twins: Twins, shop: Shop) -> None:
    generations = shop.reloader.generations

    async def work(ports: Ports) -> tuple[Retrieved, Ranked]:
        found = await ports.retrieval.retrieve(RetrievalQuery(time.time(), scene="item_page"), 5)
        for _ in range(3):  # more than are kept
            twins.swap()
            shop.reloader.reload()
        query = RankingQuery.single(
            time.time(),
            ShopperQuery(Profile(), "item_page"),
            Candidates.of_items(["i1", "i2"]),
            found.versions.bundle,
        )
        return found, await ports.ranking.rank(query, 0, 5)

    with Workers(1) as workers:
        local = LocalServices(shop.stores.profiles, generations.both, Waiter(workers))
        found, ranked = await local.together(work, 60)
    assert generations.current.version != found.versions.bundle
    assert ranked.versions.bundle == found.versions.bundle
