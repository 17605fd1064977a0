"""Where the time of a request goes, as a real server tells it: whole, split, by metrics and to the command."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from tests.integration.server.test_split import start_split
from tests.support.patience import PATIENCE
from tests.support.world import AS_OF, World
from vitrine.app.process import ServerProcess
from vitrine.cli.app import app
from vitrine.client import Vitrine
from vitrine.errors import InvalidInput
from vitrine.wire.stages import stages_from_proto


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("stages")
    config, store = folder / "patient.toml", world.fresh_store(folder / "store")
    config.write_text(PATIENCE, "utf-8")
    arguments = ("--config", str(config))
    with ServerProcess(bundle=world.bundle, store=store, as_of=AS_OF, args=arguments) as running:
        yield running


def _counted(server: ServerProcess) -> dict[tuple[str, str], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=5) as page:
        text = page.read().decode()
    return {
        (sample.name, sample.labels["stage"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "stage" in sample.labels and "le" not in sample.labels
    }


def test_the_stages_are_the_request(server: ServerProcess, world: World) -> None:
    (who,) = world.shoppers(1)
    with Vitrine(server.address) as shop:
        shop.recommend(who, timeout=10)
        before = _counted(server)
        began = time.perf_counter()
        window = shop.recommend(who, include_stages=True, include_scores=True, timeout=10)
        waited = time.perf_counter() - began
        assert not shop.recommend(who, timeout=10).HasField("stages")
    stages = {stage.name: stage for stage in stages_from_proto(window.stages)}
    assert {"decode", "profile", "retrieval", "merge", "batch", "features", "rules", "reasons"} <= set(stages)
    assert {"encode", "waiting"} <= set(stages)
    assert {name for name in stages if name.startswith("source:")} >= {"source:popular", "source:interest"}
    assert {name for name in stages if name.startswith("ranker:")} >= {"ranker:deep", "ranker:lightgbm"}
    total = sum(stage.seconds for stage in stages.values())
    assert 0 < total < waited
    assert 0 < sum(stage.cpu for stage in stages.values()) < total * 1.05
    after = _counted(server)
    for name in stages:
        counted = after["vitrine_stage_seconds_count", name] - before.get(
            ("vitrine_stage_seconds_count", name), 0
        )
        assert counted == 2, name
    assert after["vitrine_stage_cpu_seconds_total", "ranker:deep"] > 0


def test_a_request_that_is_refused_counts(server: ServerProcess) -> None:
    before = _counted(server).get(("vitrine_stage_seconds_count", "decode"), 0)
    with Vitrine(server.address) as shop, pytest.raises(InvalidInput):
        shop.recommend(None, "no-such-scene", timeout=10)
    assert _counted(server)["vitrine_stage_seconds_count", "decode"] == before + 1


def test_the_command_shows_a_real_server(server: ServerProcess, world: World) -> None:
    (who,) = world.shoppers(1)
    command = ["profile-request", "--user", who, "--address", server.address, "--deadline-ms", "5000"]
    shown = CliRunner().invoke(app, [*command, "--repeat", "5"])
    assert shown.exit_code == 0, shown.output
    assert "ranker:lightgbm" in shown.output
    assert "█" in shown.output
    # Of one request: medians of several do not add up, least of all on a busy machine.
    told = json.loads(CliRunner().invoke(app, [*command, "--repeat", "1", "--json"]).output)
    assert sum(stage["median_ms"] for stage in told["stages"]) == pytest.approx(
        told["total"]["median_ms"], abs=0.01
    )
    assert told["total"]["median_ms"] < told["client"]["median_ms"]


def test_services_apart_tell_the_front(world: World, tmp_path: Path) -> None:
    (who,) = world.shoppers(1)
    with ExitStack() as closing:
        split = start_split(world, world.fresh_store(tmp_path / "store"), closing)
        with Vitrine(split.address) as shop:
            window = shop.recommend(who, include_stages=True, timeout=10)
    stages = {stage.name: stage.seconds for stage in stages_from_proto(window.stages)}
    assert {"profile", "source:popular", "merge", "batch", "ranker:lightgbm", "rules", "encode"} <= set(
        stages
    )
    assert stages["waiting"] > 0
