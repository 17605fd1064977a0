"""Workers that hang, and more calls than they can take: windows come all the same, and the owner stays small."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc
import psutil  # type: ignore[import-untyped]
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.integration.server.test_workers import RANKING, RETRIEVAL, healthy, start, workers
from tests.support.until import until
from tests.support.world import World
from vitrine.app.process import ServerProcess
from vitrine.client import Vitrine

RECOMMENDATION = "vitrine.api.recommendation.v1.RecommendationService"
# Time of a window: less than until it is known that workers hang, and enough for forty without them on a busy machine.
SECONDS = 2.0


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(world, tmp_path_factory.mktemp("overload")) as running:
        yield running


@contextmanager
def stopped(server: ServerProcess) -> Iterator[None]:
    """All workers hang."""
    hanging = workers(server)
    for worker in hanging:
        worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in hanging:
            with suppress(psutil.Error):  # ended meanwhile
                worker.send_signal(signal.SIGCONT)


def test_a_queue_before_workers_that_hang_is_answered_without_them(
    world: World, server: ServerProcess
) -> None:
    shoppers = world.shoppers(20)
    with Vitrine(server.address) as shop, ThreadPoolExecutor(40) as callers:

        def ask(number: int) -> set[str]:
            answer = shop.recommend(shoppers[number % 20], "home", 10, timeout=SECONDS)
            assert len(answer.items) == 10
            return {part.component for part in answer.degraded}

        ask(0)
        with stopped(server):
            # All at once: all are out of time at once.
            degraded = list(callers.map(ask, range(40)))
            assert all("ranking" in parts for parts in degraded), degraded
            # Once it is known that they hang, nobody waits for them.
            until("health", lambda: not (healthy(server, RANKING) or healthy(server, RETRIEVAL)), 10)
            assert healthy(server, RECOMMENDATION)
            began = time.monotonic()
            assert "ranking" in ask(1)
            assert time.monotonic() - began < 0.7 * SECONDS
    until("they are back", lambda: healthy(server, RANKING) and healthy(server, RETRIEVAL))


def test_large_calls_that_wait_are_bounded(server: ServerProcess) -> None:
    owner = psutil.Process(server.pid)
    large = bytes(3_500_000)
    options = [("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0)]
    with grpc.insecure_channel(server.address, options=options) as channel:
        retrieve: Any = channel.unary_unary(f"/{RETRIEVAL}/Retrieve")
        with stopped(server):
            before = owner.memory_info().rss
            calls = [retrieve.future(large, timeout=1.0) for _ in range(150)]
            failed: list[Any] = [call.exception() for call in calls]
            grown = (owner.memory_info().rss - before) >> 20
    refused = [one for one in failed if one.code() is grpc.StatusCode.UNAVAILABLE]
    assert refused, [one.code() for one in failed]
    assert {one.details() for one in refused if "MiB wait for the workers" not in one.details()} == set()
    for one in refused:
        status = rpc_status.from_call(one)
        assert status is not None
        assert status.details[0].Is(error_details_pb2.RetryInfo.DESCRIPTOR)
    # What gRPC has read of all of them is in it, for a moment; without a bound it is well over 1,000.
    assert grown < 800
    until("they are back", lambda: healthy(server, RANKING))
