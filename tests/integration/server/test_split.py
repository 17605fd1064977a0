"""Four processes instead of one: the same lists, and answers while one of them is gone."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support.world import AS_OF, World
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.app.process import ServerProcess, free_port
from vitrine.client import Vitrine, event, item

Window = recommendation_pb2.RecommendResponse


@dataclass
class Split:
    """Four running processes, by service."""

    parts: dict[str, ServerProcess]

    @property
    def address(self) -> str:
        return self.parts["recommendation"].address

    def client(self, service: str) -> Vitrine:
        return Vitrine(self.parts[service].address)


def start_split(world: World, store: Path, closing: ExitStack, *more: str) -> Split:
    """Starts the four, those that others wait for first; ``more`` arguments go to each."""
    names = ("retrieval", "profile", "ranking", "recommendation")
    ports = {name: free_port() for name in names}
    addresses = tuple(
        part for name in names[:3] for part in (f"--{name}-address", f"127.0.0.1:{ports[name]}")
    )
    parts = {
        name: ServerProcess(
            name,
            bundle=world.bundle,
            store=store,
            as_of=AS_OF,
            args=(*addresses, "--freeze-clock", *more),
            port=ports[name],
            log=store / "log",
        )
        for name in names
    }
    for name in names:
        closing.enter_context(parts[name])
    return Split(parts)


@pytest.fixture
def split(world: World, tmp_path: Path) -> Iterator[Split]:
    store = world.fresh_store(tmp_path / "split")
    with ExitStack() as closing:
        yield start_split(world, store, closing)


def _wait_until(what: str, done: "object", seconds: float = 10.0) -> float:
    assert callable(done)
    started = time.monotonic()
    while not done():
        assert time.monotonic() - started < seconds, what
        time.sleep(0.02)
    return time.monotonic() - started


def _same(one: Window, other: Window) -> bool:
    return [i.item_id for i in one.items] == [i.item_id for i in other.items]


def test_four_processes_answer_as_one_does(world: World, split: Split, tmp_path: Path) -> None:
    shoppers = [*world.shoppers(25), "nobody-knows-me"]
    one_store = world.fresh_store(tmp_path / "one")
    with (
        ServerProcess(bundle=world.bundle, store=one_store, as_of=AS_OF, args=("--freeze-clock",)) as whole,
        Vitrine(whole.address) as one,
        Vitrine(split.address) as four,
    ):
        fresh = [event("view", who, f"p00{n % 9 + 1}", event_id=f"e{n}") for n, who in enumerate(shoppers)]
        one.record_events(fresh)
        with split.client("profile") as profile:
            profile.record_events(fresh)
        # Popularity follows the log of the other process within a moment.
        _wait_until(
            "popularity", lambda: _same(*(c.recommend(None, "home", 100, timeout=10) for c in (one, four)))
        )
        for who in shoppers:
            for scene in ("home", "cart", "item_page", "new_arrivals", "buy_again", "search"):
                windows = [
                    c.recommend(
                        who,
                        scene,
                        30,
                        basket=["p003"] if scene == "cart" else (),
                        item_ids=["p005"] if scene == "item_page" else (),
                        query="cotton 棉" if scene == "search" else "",
                        include_scores=True,
                        include_trace=True,
                        timeout=10,
                    )
                    for c in (one, four)
                ]
                left, right = windows
                assert _same(left, right), (who, scene)
                assert [i.reason for i in left.items] == [i.reason for i in right.items]
                np.testing.assert_allclose(
                    [i.score for i in left.items], [i.score for i in right.items], atol=1e-5
                )
                assert list(left.degraded) == list(right.degraded)
                ways = [[(step.name, step.left_out) for step in window.trace.steps] for window in windows]
                assert ways[0] == ways[1]
                assert list(right.trace.steps[-1].ranks) == list(range(1, len(right.items) + 1))


def test_the_command_line_reads_a_split_shop(world: World, split: Split) -> None:
    who = world.shoppers(1)[0]
    command = [
        sys.executable,
        "-m",
        "vitrine",
        "recommend",
        "--user",
        who,
        "--limit",
        "3",
        "--address",
        split.address,
    ]
    bare = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(re.findall(r"\bp\d{3}\b", bare.stdout)) == 3
    titled = subprocess.run(
        [*command, "--catalog-address", split.parts["retrieval"].address],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "EUR" in titled.stdout
    assert "EUR" not in bare.stdout


def test_stock_travels_within_a_second(world: World, split: Split) -> None:
    who = world.shoppers(1)[0]
    with Vitrine(split.address) as front, split.client("retrieval") as catalog:
        shown = front.recommend(who, "home", 20, timeout=10).items[0].item_id
        catalog.upsert_items([item(shown, in_stock=False)], fields=["availability"])
        seconds = _wait_until(
            "stock",
            lambda: shown not in [i.item_id for i in front.recommend(who, "home", 20, timeout=10).items],
        )
        assert seconds < 1.0


@pytest.mark.parametrize("gone", ["profile", "retrieval", "ranking"])
def test_answers_while_a_service_is_gone(world: World, split: Split, gone: str) -> None:
    who = world.shoppers(1)[0]
    with Vitrine(split.address) as front:
        whole = front.recommend(who, "home", 10, timeout=10)
        assert not whole.degraded
        split.parts[gone].kill()
        for _ in range(3):
            window = front.recommend(who, "home", 10, timeout=2)
            assert len(window.items) == 10
            assert gone in [d.component for d in window.degraded]
            assert all(i.reason.text for i in window.items)
            assert not any("Traceback" in d.message or "grpc" in d.message.lower() for d in window.degraded)
        for scene in ("item_page", "cart", "new_arrivals", "buy_again"):
            assert front.recommend(who, scene, 10, timeout=2).items, scene


def test_a_service_that_comes_back_is_used_again(world: World, split: Split) -> None:
    who = world.shoppers(1)[0]
    with Vitrine(split.address) as front:
        split.parts["ranking"].kill()
        assert front.recommend(who, "home", 10, timeout=2).degraded
        split.parts["ranking"].start()
        _wait_until("ranking is back", lambda: not front.recommend(who, "home", 10, timeout=2).degraded, 20)
