"""The function that peers host answers what the server does, message for message."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from tests.load.messages import read
from tests.load.peers.function import RankFunction, own_catalog
from tests.load.peers.hosts import moment
from tests.load.peers.talk import METHOD
from tests.load.traffic import Traffic
from tests.support.world import AS_OF, World
from vitrine.api.ranking.v1 import ranking_pb2 as pb
from vitrine.app.process import ServerProcess
from vitrine.errors import InvalidInput


@pytest.fixture(scope="module")
def function(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RankFunction]:
    store = own_catalog(world.store, tmp_path_factory.mktemp("function") / "store")
    function = RankFunction.open(world.bundle, store, moment(AS_OF))
    yield function
    function.close()
    # It froze what the collector had not looked at, which is right for a server and not for the tests that follow.
    gc.unfreeze()


def test_the_function_answers_what_the_server_answers(
    world: World, function: RankFunction, tmp_path: Path
) -> None:
    requests, compared = tmp_path / "requests", 0
    with ServerProcess(
        bundle=world.bundle, store=world.fresh_store(tmp_path / "store"), as_of=AS_OF
    ) as server:
        Traffic(world.data, requests).reads(server.address)
        messages = read(requests / "rank.bin", pb.RankRequest, 30)
        with grpc.insecure_channel(server.address) as channel:
            call: Callable[..., bytes] = channel.unary_unary(METHOD)
            for message in messages:
                message.request_time.FromSeconds(int(moment(AS_OF)))
                served = pb.RankResponse.FromString(call(message.SerializeToString(), timeout=10))
                # What a busy machine may make it leave out, it says.
                if not served.degraded:
                    assert pb.RankResponse.FromString(function(message.SerializeToString())) == served
                    assert function.rank(message) == served
                    compared += 1
    assert compared
    assert len({tuple(function.rank(message).lists[0].positions) for message in messages}) > 10


def test_it_refuses_what_the_server_refuses(function: RankFunction) -> None:
    with pytest.raises(InvalidInput, match="queries"):
        function(b"")
