"""Acknowledged means on disk: kill -9 and a power cut in the midst of many clients lose nothing and repeat nothing."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.lossyfs import LossyFilesystem
from tests.support.stream import ACCEPTED, DUPLICATE, Streams
from tests.support.world import AS_OF, World
from vitrine.api.retrieval.v1.retrieval_pb2 import RetrieveRequest, SourceRequest
from vitrine.app.process import ServerProcess
from vitrine.client import Vitrine, item
from vitrine.dataset import Dataset
from vitrine.wire.candidates import candidates_from_proto

NOW = datetime.fromisoformat(AS_OF)
# The clock stands still, so that scores of two servers can be compared.
FROZEN = ("--freeze-clock",)


def serving(store: Path) -> ServerProcess:
    return ServerProcess(store=store, as_of=AS_OF, args=FROZEN)


def send_all_again(shop: Vitrine, streams: Streams) -> int:
    """Sends every event once more; what was there is a duplicate. Answers how many were new."""
    there = streams.check(shop)
    events = list(streams.sent.values())
    new = 0
    for at in range(0, len(events), 500):
        part = events[at : at + 500]
        for sent, status in zip(part, streams.record(shop, part), strict=True):
            assert status == (DUPLICATE if sent.event_id in there else ACCEPTED)
            new += status == ACCEPTED
    assert streams.check(shop) == set(streams.sent)
    return new


def popularity(shop: Vitrine) -> dict[str, tuple[float, float]]:
    """Scores of every item that is popular or trending."""
    sources = [SourceRequest(name=name, limit=5000) for name in ("popular", "trending")]
    answer = shop.retrieval.Retrieve(RetrieveRequest(sources=sources, limit=5000), timeout=10)
    found = candidates_from_proto(answer.candidates, "candidates")
    return dict(zip(found.item_ids, map(tuple, np.nan_to_num(found.scores).tolist()), strict=True))


def test_kill_9_during_a_stream_of_events(world: World, tmp_path: Path) -> None:
    items = Dataset.open(world.data).items()
    assert items is not None
    streams = Streams(items.filter(items["availability"] == "in_stock")["item_id"].to_list(), NOW)
    store = world.fresh_store(tmp_path / "store")
    for boot in range(3):
        server = serving(store).start()
        with Vitrine(server.address) as shop:
            if streams.sent:
                streams.check(shop)
        # The second ends in peace, which keeps a snapshot of popularity for the third to go on from.
        streams.run(server.address, 1_000, server.stop if boot == 1 else server.kill)
    with serving(store) as server, Vitrine(server.address) as shop:
        lost_answers = send_all_again(shop, streams)
        found = popularity(shop)
    assert len(streams.sent) >= len(streams.acknowledged) >= 3_000
    print(f"{len(streams.sent)} events in {streams.calls} calls; {lost_answers} had to be sent again")

    # The same events sent to a server that was never ended.
    with serving(world.fresh_store(tmp_path / "twin")) as server, Vitrine(server.address) as shop:
        whole = Streams([], NOW)
        events = list(streams.sent.values())
        for at in range(0, len(events), 500):
            assert set(whole.record(shop, events[at : at + 500])) == {ACCEPTED}
        expected = popularity(shop)
    assert found.keys() == expected.keys()
    for name, scores in found.items():
        assert scores == pytest.approx(expected[name], rel=1e-5), name


@pytest.mark.fuse
def test_a_power_cut_during_a_stream_of_events(lossyfs: LossyFilesystem) -> None:
    things = [f"thing-{n:03}" for n in range(100)]
    streams = Streams(things, NOW)
    store = lossyfs.mountpoint / "store"
    for boot in range(2):
        server = serving(store).start()
        with Vitrine(server.address) as shop:
            if boot:
                streams.check(shop)
            else:
                shop.upsert_items([item(name, f"Thing {name}", price=1, currency="EUR") for name in things])

        def cut(server: ServerProcess = server) -> None:
            lossyfs.cut_power()
            server.kill()

        streams.run(server.address, 500, cut)
        lossyfs.power_on()
    with serving(store) as server, Vitrine(server.address) as shop:
        assert len(shop.get_items(things)) == len(things)
        send_all_again(shop, streams)
        # Popularity is restored, too: each thing was bought as often as events say.
        bought = dict.fromkeys(things, 0)
        for sent in streams.sent.values():
            bought[sent.item_id] += 1
        scores = popularity(shop)
        assert max(scores, key=lambda name: scores[name][0]) in things
        assert {name for name, times in bought.items() if times} == set(scores)
