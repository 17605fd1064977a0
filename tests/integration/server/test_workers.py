"""One owner and two workers instead of one process: the same answers, whatever happens to a worker."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import psutil  # type: ignore[import-untyped]
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from tests.support.answers import same_window
from tests.support.bad_calls import BadCall, bad_calls
from tests.support.callers import Callers
from tests.support.until import until
from tests.support.world import AS_OF, World
from vitrine.api.ranking.v1 import ranking_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2
from vitrine.app.process import ServerProcess
from vitrine.client import Vitrine, VitrineError, event, item

SCENES = ("home", "item_page", "cart", "search", "new_arrivals", "buy_again")
RANKING = "vitrine.api.ranking.v1.RankingService"
RETRIEVAL = "vitrine.api.retrieval.v1.RetrievalService"
_SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(world, tmp_path_factory.mktemp("workers")) as running:
        yield running


def start(world: World, folder: Path, *more: str) -> ServerProcess:
    store = world.fresh_store(folder / "workers")
    args = ("--workers", "2", "--freeze-clock", *more)
    return ServerProcess(bundle=world.bundle, store=store, as_of=AS_OF, args=args, log=folder / "log")


def workers(server: ServerProcess) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(server.pid).children():
        with suppress(psutil.Error):  # it has just ended
            if "vitrine.app.workers.child" in process.cmdline():
                found.append(process)
    return found


def metrics(server: ServerProcess) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=5) as page:
        text = page.read().decode()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def calls(server: ServerProcess) -> list[float]:
    return [value for name, value in metrics(server).items() if name.startswith("vitrine_worker_calls_total")]


def healthy(server: ServerProcess, name: str) -> bool:
    with grpc.insecure_channel(server.address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
        return bool(answer.status == _SERVING)


def window(shop: Vitrine, who: str | None, scene: str, **more: Any) -> Any:
    return shop.recommend(
        who,
        scene,
        20,
        basket=["p003"] if scene == "cart" else (),
        item_ids=["p005"] if scene == "item_page" else (),
        query="cotton 棉" if scene == "search" else "",
        include_scores=True,
        timeout=10,
        **more,
    )


@dataclass(kw_only=True)
class Load(Callers):
    """Clients that ask for windows without end, and how many were degraded."""

    count: int = 4
    pause: float = 0.002
    shoppers: list[str]
    answers: int = 0
    degraded: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)

    def call(self, shop: Vitrine, client: int, number: int) -> None:
        try:
            found = shop.recommend(self.shoppers[number % len(self.shoppers)], "home", 10, timeout=5)
            self.answers += 1
            self.degraded |= {part.component for part in found.degraded}
            self.messages |= {f"{part.component}: {part.message}" for part in found.degraded}
            if len(found.items) != 10:
                self.wrong.append(f"{len(found.items)} items")
        except VitrineError as error:
            self.wrong.append(repr(error))


def test_two_workers_answer_as_one_process_does(world: World, server: ServerProcess, tmp_path: Path) -> None:
    alone = ServerProcess(
        bundle=world.bundle,
        store=world.fresh_store(tmp_path / "one"),
        as_of=AS_OF,
        args=("--freeze-clock",),
    )
    with alone, Vitrine(alone.address) as one, Vitrine(server.address) as two:
        shoppers = [*world.shoppers(12), "nobody-knows-me"]
        fresh = [event("view", who, f"p00{n % 9 + 1}", event_id=f"e{n}") for n, who in enumerate(shoppers)]
        for shop in (one, two):
            shop.record_events(fresh)
        # Popularity reaches the workers within a moment.
        until("popularity", lambda: same_window(*(window(c, None, "home") for c in (one, two))))
        for who in shoppers:
            for scene in SCENES:
                assert same_window(*(window(c, who, scene) for c in (one, two))), (who, scene)
        found, ordered = [], []
        for shop in (one, two):
            profile = shop.get_profile(shoppers[0])
            asked = retrieval_pb2.RetrieveRequest(scene="home", profile=profile)
            found.append(shop.retrieval.Retrieve(asked, timeout=10))
            query = ranking_pb2.RankQuery(scene="home", profile=profile)
            rank = ranking_pb2.RankRequest(queries=[query], candidates=found[-1].candidates)
            ordered.append(shop.ranking.Rank(rank, timeout=10))
        assert found[0] == found[1]
        assert ordered[0].lists == ordered[1].lists
        assert found[1].versions.bundle
        left, right = (c.explain(shoppers[0], "p005", "home", timeout=10) for c in (one, two))
        assert left.explanation == right.explanation
        assert left.versions == right.versions
        traced = window(two, shoppers[0], "home", include_trace=True)
        assert list(traced.trace.steps[-1].ranks) == list(range(1, len(traced.items) + 1))


def test_requests_of_one_connection_are_spread_evenly(world: World, server: ServerProcess) -> None:
    with Vitrine(server.address) as shop:
        before = calls(server)
        for who in world.shoppers(60):
            shop.recommend(who, "home", 5, timeout=10)
        one, other = (after - b for after, b in zip(calls(server), before, strict=True))
    assert one + other == 60
    assert abs(one - other) <= 2


def test_what_was_acknowledged_counts_in_the_next_answer(world: World, server: ServerProcess) -> None:
    who = world.shoppers(30)[-1]
    with Vitrine(server.address) as shop:
        for number in range(10):
            shown = [i.item_id for i in shop.recommend(who, "home", 20, timeout=10).items]
            hidden, sold_out = shown[0], shown[1]
            watermark = shop.record_events([event("hide", who, hidden)]).watermark
            shop.upsert_items([item(sold_out, in_stock=False)], fields=["availability"])
            shop.upsert_items(
                [item(f"new-{number}", f"Teapot number {number} 紫砂", price=30, currency="EUR")]
            )
            for _ in range(2):
                answer = shop.recommend(who, "home", 200, min_watermark=watermark, timeout=10)
                assert not {hidden, sold_out} & {i.item_id for i in answer.items}
                assert "profile" not in {d.component for d in answer.degraded}
                found = shop.recommend(None, "search", 50, query="teapot 紫砂", timeout=10)
                assert f"new-{number}" in {i.item_id for i in found.items}
            shop.upsert_items([item(sold_out, in_stock=True)], fields=["availability"])


def test_a_worker_that_is_killed_costs_no_answer_and_comes_back(world: World, server: ServerProcess) -> None:
    before = workers(server)
    with Load(address=server.address, shoppers=world.shoppers(20)) as load:
        until("load", lambda: load.answers > 20)
        before[0].kill()
        until("health", lambda: not healthy(server, "worker:1") or not healthy(server, "worker:2"), 5)
        until("restart", lambda: healthy(server, "worker:1") and healthy(server, "worker:2"))
        answers = load.answers
        until("load", lambda: load.answers > answers + 50)
    assert not load.wrong
    assert not load.degraded & {"ranking", "retrieval"}, load.messages
    assert len(workers(server)) == 2
    told = metrics(server)
    assert sum(value for name, value in told.items() if "vitrine_worker_restarts_total" in name) >= 1
    # What the one that was killed had counted is still counted, less the last second.
    staged = told["vitrine_stage_seconds_count[('stage', 'merge')]"]
    assert staged > load.answers / 3


def test_without_workers_windows_are_popular_ones_and_say_so(world: World, server: ServerProcess) -> None:
    for worker in workers(server):
        worker.kill()
    until("health", lambda: not (healthy(server, RANKING) or healthy(server, RETRIEVAL)), 5)
    with Vitrine(server.address) as shop:
        answer = shop.recommend(world.shoppers(1)[0], "home", 10, timeout=5)
        assert len(answer.items) == 10
        assert "ranking" in {part.component for part in answer.degraded}
        assert all(i.reason.text for i in answer.items)
        assert healthy(server, "")
        until("they are back", lambda: not shop.recommend(None, "home", 10, timeout=5).degraded)
    until("health", lambda: healthy(server, RANKING) and healthy(server, RETRIEVAL), 5)


def test_a_worker_that_hangs_costs_no_answer(world: World, server: ServerProcess) -> None:
    until("both", lambda: healthy(server, "worker:1") and healthy(server, "worker:2"))
    hanging = workers(server)[0]
    with Load(address=server.address, shoppers=world.shoppers(20)) as load:
        until("load", lambda: load.answers > 20)
        hanging.send_signal(signal.SIGSTOP)
        try:
            answers = load.answers
            until("load", lambda: load.answers > answers + 50)
            until("it is ended", lambda: hanging.pid not in {w.pid for w in workers(server)}, 30)
        finally:
            if hanging.is_running():
                hanging.kill()
    assert not load.wrong
    assert not load.degraded & {"ranking", "retrieval"}, load.messages


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_owner(world: World, tmp_path: Path, how: signal.Signals) -> None:
    server = start(world, tmp_path).start()
    started = workers(server)
    assert len(started) == 2
    with Load(address=server.address, shoppers=world.shoppers(5)) as load:
        until("load", lambda: load.answers > 10)
        answered = load.answers
        code = server.stop() if how is signal.SIGTERM else server.kill()
        assert load.answers >= answered
    assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
    gone, left = psutil.wait_procs(started, timeout=5)
    assert not left, gone


def test_plugins_and_ranking_over_all_workers(world: World, server: ServerProcess) -> None:
    with Vitrine(server.address) as shop:
        for who in world.shoppers(8):
            shop.recommend(who, "home", 5, timeout=10)
        (cf,) = (p for p in shop.list_rankers().plugins if p.name == "cf")
        # Eight windows of four each, and those of the warm-up of both.
        assert cf.ranker.state == ranking_pb2.PLUGIN_STATE_ON
        assert cf.ranker.calls >= 8
        until("health", lambda: healthy(server, "ranker:cf"), 5)


@pytest.mark.parametrize("call", bad_calls(), ids=lambda call: call.name)
def test_a_bad_call_is_refused_as_by_one_process(server: ServerProcess, call: BadCall) -> None:
    with Vitrine(server.address) as shop, pytest.raises(grpc.RpcError) as caught:
        call.call(shop)
    failure: Any = caught.value
    assert failure.code() is call.code, failure.details()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--workers", "0"], "greater than or equal to 1"),
        (["--workers", "65"], "less than or equal to 64"),
        (["ranking", "--workers", "2"], "all services"),
    ],
)
def test_a_wrong_number_of_workers_is_refused(arguments: list[str], says: str) -> None:
    command = [sys.executable, "-m", "vitrine", "serve", *arguments]
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_bad_bundle_ends_the_start_with_its_reason(world: World, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    command = [sys.executable, "-m", "vitrine", "serve", "--workers", "2", "--port", "0"]
    command += ["--store", str(world.fresh_store(tmp_path / "store")), "--bundle", str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "manifest" in done.stderr
    assert "Traceback" not in done.stderr
