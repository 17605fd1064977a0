"""Plugins watched from outside a real server: traces, `ListRankers`, health, metrics, the command line."""

import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from tests.support.patience import PATIENCE
from tests.support.plugin_dist import write_plugin
from tests.support.until import until
from tests.support.world import AS_OF, World
from vitrine.api.common.v1 import common_pb2
from vitrine.api.ranking.v1 import ranking_pb2
from vitrine.app.process import ServerProcess
from vitrine.client import AsyncVitrine, Vitrine

SERVING, NOT_SERVING = 1, 2

# Does what the file beside it says.
MOODY = """
    import os
    from pathlib import Path
    import numpy as np
    from vitrine.plugin import Batch, LoadContext, Scores, hookimpl

    VITRINE_CONTRACT = 1
    MOOD = Path(__file__).with_name("{name}.mood")

    class Moody:
        name, version, reason, budget_ms = "{name}", "0.7", None, 2000.0

        def score(self, batch: Batch) -> Scores:
            mood = MOOD.read_text() if MOOD.exists() else ""
            if mood == "raise":
                raise ValueError("secret of the house")
            if mood == "crash":
                os.abort()
            return np.arange(len(batch.items.ids), dtype=np.float32)

    @hookimpl
    def vitrine_make_ranker(load: LoadContext) -> Moody:
        return Moody()
"""
CONFIG = """
[ranking]
failures = 2
retry_seconds = 1

[scenes.moody]
sources = { popular = 200, co_visitation = 100 }
weights = { cf = 1.0, moody = 0.5, content = 1.0, "source:popular" = 0.1 }

[scenes.apart]
sources = { popular = 200 }
weights = { apart = 1.0, "source:popular" = 0.1 }

[plugins.apart]
isolation = "process"
""" + PATIENCE.replace("[plugins.content]", "[plugins.content]\nenabled = false")


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    for name in ("moody", "apart"):
        write_plugin(folder, name, MOODY.replace("{name}", name))
    (folder / "shop.toml").write_text(CONFIG, "utf-8")
    return folder


@pytest.fixture(scope="module")
def server(world: World, plugins: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = world.fresh_store(tmp_path_factory.mktemp("watched-store") / "store")
    with ExitStack() as closing:
        patch = closing.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("PYTHONPATH", str(plugins))
        arguments = ("--config", str(plugins / "shop.toml"))
        yield closing.enter_context(
            ServerProcess(bundle=world.bundle, store=store, as_of=AS_OF, args=arguments)
        )


@pytest.fixture
def mood(plugins: Path) -> Iterator[Callable[[str, str], None]]:
    """Sets what a plugin does; afterwards it behaves."""

    def behave(name: str, how: str) -> None:
        (plugins / f"{name}.mood").write_text(how, "utf-8")

    yield behave
    for name in ("moody", "apart"):
        behave(name, "")


def _health(server: ServerProcess, name: str = "") -> int:
    with grpc.insecure_channel(server.address) as channel:
        asked = health_pb2.HealthCheckRequest(service=name)
        return int(health_pb2_grpc.HealthStub(channel).Check(asked, timeout=5).status)


def _metric(server: ServerProcess, name: str, **labels: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=5) as page:
        families = text_string_to_metric_families(page.read().decode())
    found = [
        s.value for f in families for s in f.samples if s.name == name and labels.items() <= s.labels.items()
    ]
    assert found, f"no sample {name} {labels}"
    return sum(found)


def _plugin(shop: Vitrine, name: str) -> ranking_pb2.Plugin:
    return next(plugin for plugin in shop.list_rankers().plugins if plugin.name == name)


def _left_out(shop: Vitrine, name: str) -> int:
    """Why a window of the scene and ranker ``name`` goes without that ranker; 0 when it does not."""
    trace = shop.recommend(None, name, 5, include_trace=True, timeout=10).trace
    return next(int(step.left_out) for step in trace.steps if step.name == f"ranker:{name}")


def test_a_window_has_a_trace_when_it_is_asked_for(shop: Vitrine, world: World) -> None:
    who = world.shoppers(40)[-1]
    window = shop.recommend(who, "home", 10, include_trace=True, timeout=10)
    steps = {step.name: step for step in window.trace.steps}
    names = list(steps)
    assert names[0] == "sources"
    assert names[-5:] == ["reranker:lightgbm", "rules", "caps", "diversity", "newcomers"]
    assert set(names[1:-5]) == {"ranker:cf", "ranker:interest", "ranker:content", "ranker:deep"}
    assert list(steps["newcomers"].ranks) == list(range(1, 11))
    assert all(len(step.ranks) == 10 for step in steps.values())
    # A newcomer is put into the window after diversity was seen to.
    assert all(all(step.ranks) for name, step in steps.items() if name != "diversity")
    assert len({tuple(step.ranks) for step in steps.values()}) > 2, "something moved"
    assert steps["ranker:content"].left_out == common_pb2.DEGRADATION_CODE_OFF
    assert not steps["ranker:content"].HasField("duration")
    assert steps["ranker:deep"].duration.ToNanoseconds() > 0
    assert not steps["ranker:deep"].left_out
    plain = shop.recommend(who, "home", 10, timeout=10)
    assert not plain.HasField("trace")
    assert [i.item_id for i in plain.items] == [i.item_id for i in window.items]


async def test_the_aio_client_asks_for_the_same(server: ServerProcess, shop: Vitrine) -> None:
    async with AsyncVitrine(server.address) as client:
        window = await client.recommend(None, "moody", 5, include_trace=True, timeout=10)
        assert [s.name for s in window.trace.steps][:2] == ["sources", "ranker:cf"]
        told = await client.list_rankers()
        assert [p.name for p in told.plugins] == [p.name for p in shop.list_rankers().plugins]


def test_the_plugins_of_the_scenes_are_listed(shop: Vitrine, world: World) -> None:
    shop.recommend(world.shoppers(1)[0], "home", 10, timeout=10)
    told = shop.list_rankers()
    assert told.bundle_version == shop.get_bundle().version
    named = {plugin.name: plugin for plugin in told.plugins}
    assert {"cf", "content", "deep", "interest", "lightgbm", "moody", "apart"} <= set(named)
    cf = named["cf"]
    assert cf.distribution.startswith("vitrine")
    assert (cf.isolation, cf.ranker.state) == ("thread", ranking_pb2.PLUGIN_STATE_ON)
    assert "moody" in cf.scenes
    assert cf.ranker.calls > 0
    assert cf.ranker.budget.ToNanoseconds() > 0
    assert not cf.HasField("features")
    assert named["moody"].ranker.version == "0.7"
    assert named["moody"].distribution == "moody 1.0"
    assert named["apart"].isolation == "process"
    assert named["content"].ranker.state == ranking_pb2.PLUGIN_STATE_OFF
    assert "switched off" in named["content"].ranker.message


def test_health_and_metrics_follow_a_plugin_that_fails_and_recovers(
    server: ServerProcess, shop: Vitrine, mood: Callable[[str, str], None]
) -> None:
    assert _health(server) == _health(server, "ranker:moody") == SERVING
    assert _health(server, "ranker:content") == NOT_SERVING
    with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
        _health(server, "ranker:nobody")

    mood("moody", "raise")
    assert _left_out(shop, "moody") == common_pb2.DEGRADATION_CODE_FAILED
    until("it is switched off", lambda: _left_out(shop, "moody") == common_pb2.DEGRADATION_CODE_OFF)
    until("health says so", lambda: _health(server, "ranker:moody") == NOT_SERVING)
    assert _health(server) == _health(server, "ranker:cf") == SERVING
    part = _plugin(shop, "moody").ranker
    assert part.state == ranking_pb2.PLUGIN_STATE_TRIPPED
    assert part.failures >= 2
    assert "secret" not in part.message
    assert _metric(server, "vitrine_plugin_on", component="ranker:moody") == 0
    assert _metric(server, "vitrine_plugin_calls_total", component="ranker:moody", outcome="failed") >= 2
    assert _metric(server, "vitrine_plugin_calls_total", component="ranker:moody", outcome="off") >= 1

    mood("moody", "")

    until("it is tried again", lambda: not _left_out(shop, "moody"))
    until("health says so", lambda: _health(server, "ranker:moody") == SERVING)
    assert _metric(server, "vitrine_plugin_on", component="ranker:moody") == 1
    assert _metric(server, "vitrine_plugin_hung_threads", component="ranker:moody") == 0


def test_a_plugin_whose_process_crashes_is_told_of(
    server: ServerProcess, shop: Vitrine, mood: Callable[[str, str], None]
) -> None:
    assert _metric(server, "vitrine_plugin_restarts_total", plugin="apart") == 0
    mood("apart", "crash")
    shop.recommend(None, "apart", 5, timeout=10)
    mood("apart", "")
    until("its restart", lambda: _plugin(shop, "apart").restarts == 1)
    until("metrics say so", lambda: _metric(server, "vitrine_plugin_restarts_total", plugin="apart") == 1)
    until("health says so", lambda: _health(server, "ranker:apart") == SERVING)
    assert _health(server) == SERVING


def test_what_rankers_change_is_counted(server: ServerProcess, shop: Vitrine, world: World) -> None:
    # One window in 64 is looked at: enough of them, and long ones, that one without a change does not decide.
    for who in world.shoppers(40) * 8:
        shop.recommend(who, "moody", 50, timeout=10)
    positions = _metric(server, "vitrine_plugin_positions_total", component="ranker:moody")
    changed = _metric(server, "vitrine_plugin_positions_changed_total", component="ranker:moody")
    assert positions >= 100
    assert 0 < changed <= positions
    assert _metric(server, "vitrine_plugin_seconds_count", component="ranker:cf") >= 320


def test_the_command_line_shows_both(server: ServerProcess, world: World) -> None:
    def shown(*arguments: str) -> str:
        command = [sys.executable, "-m", "vitrine", *arguments, "--address", server.address]
        environment = {"COLUMNS": "150", "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=environment, timeout=30
        )
        return done.stdout

    window = shown("recommend", "--user", world.shoppers(40)[-1], "--trace", "--limit", "5")
    for said in ("sources", "reranker", "lightgbm", "→", " ms", "OFF", "diversity"):
        assert said in window
    listed = shown("plugins")
    for said in ("moody 0.7", "moody 1.0", "process", "switched off", "lightgbm"):
        assert said in listed
