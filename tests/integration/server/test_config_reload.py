"""The configuration changes while a real server serves: no call fails, and none is answered by two of them."""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from typer.testing import CliRunner

from tests.integration.server.test_split import start_split
from tests.integration.server.test_swap import metric
from tests.support.callers import Callers
from tests.support.twins import Twins, Window, item_id
from tests.support.until import until
from tests.support.world import World
from vitrine.api.common.v1 import common_pb2
from vitrine.api.config.v1 import config_pb2
from vitrine.app.process import ServerProcess
from vitrine.cli.app import app
from vitrine.client import InvalidInput, NotReady, Vitrine, VitrineError
from vitrine.client.aio import AsyncVitrine
from vitrine.config import load_config

CLIENTS = 3
# What these bundles have, so that no answer may lack it.
PARTS = {"retrieval", "ranking", "profile", "bundle", "ranker:cf", "ranker:interest"}
PAUSE = 0.004

PAGE = """
[scenes.item_page]
reranker = ""
diversity = {diversity}
sources = {{ content = 0, popular = 100 }}
weights = {{ "source:co_visitation" = 1, cf = {cf}, content = 0, interest = {interest} }}
"""
PUSH = """
[scenes.push]
description = "One thing that is worth a message."
sources = { popular = 50 }
weights = { cf = 1.0 }
"""


def text(cf: float = 1.0, interest: float = 0.0, diversity: float = 0.0, *, push: bool = True) -> str:
    return PAGE.format(cf=cf, interest=interest, diversity=diversity) + (PUSH if push else "")


@dataclass(kw_only=True)
class Load(Callers):
    """Clients that ask for windows of two scenes without end, and what they got.

    Attributes:
        ranks: Whether the ranker "interest" is on, by fingerprint.
        fingerprints: Of the configurations of the answers.
        unknown: Calls for the scene that comes and goes which were told that it is not there.
    """

    count: int = CLIENTS
    pause: float = PAUSE
    ranks: dict[str, bool]
    fingerprints: list[str] = field(default_factory=list)
    unknown: int = 0

    def call(self, shop: Vitrine, client: int, number: int) -> None:
        try:
            window = ask(shop, number)
            self.fingerprints.append(window.versions.config)
            if problem := self._problem(window):
                self.wrong.append(problem)
            if client == 0:
                self._push(shop)
        except VitrineError as error:
            self.wrong.append(repr(error))

    def _problem(self, window: Window) -> str:
        made = window.versions.config
        ranked = {name for one in window.items for name in one.scores}
        if made in self.ranks and self.ranks[made] != ("interest" in ranked):
            return f"says configuration {made} and was ranked by {sorted(ranked)}"
        return "; ".join(f"{d.component}: {d.message}" for d in window.degraded if d.component in PARTS)

    def _push(self, shop: Vitrine) -> None:
        """Either all of an answer, or that there is no such scene."""
        try:
            window = shop.recommend("shopper-1", "push", 5, include_scores=True, timeout=5)
        except InvalidInput as error:
            self.unknown += 1
            if "unknown scene 'push'" not in str(error):
                self.wrong.append(repr(error))
            return
        # Nobody has bought anything in this shop, so nothing is popular: the newest items stand in.
        lacks = [
            d for d in window.degraded if d.component in PARTS and d.code != common_pb2.DEGRADATION_CODE_EMPTY
        ]
        if not window.items or lacks:
            self.wrong.append(f"push: {len(window.items)} items, {lacks}")


def ask(shop: Vitrine, number: int) -> Window:
    return shop.recommend(
        f"shopper-{number % 400}",
        "item_page",
        20,
        item_ids=[item_id(number % 400)],
        include_scores=True,
        timeout=5,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "shop.toml").write_text(text(), "utf-8")
    return tmp_path / "shop.toml"


@pytest.fixture
def twins(tmp_path: Path) -> Twins:
    return Twins.make(tmp_path / "bundles")


@pytest.fixture
def server(twins: Twins, file: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(
        bundle=twins.folder,
        store=twins.fill(tmp_path / "store"),
        log=tmp_path / "log",
        args=("--config", str(file), "--no-watch-config"),
    ) as running:
        yield running


def test_the_configuration_changes_under_load(server: ServerProcess, file: Path, twins: Twins) -> None:
    states = [text(), text(interest=0.5), text(cf=0.2, interest=0.5), text(push=False), text(diversity=0.3)]
    with Vitrine(server.address) as operator, Load(address=server.address, ranks={}) as load:
        for number, state in enumerate(itertools.islice(itertools.cycle(states), 1, 3 * len(states))):
            file.write_text(state, "utf-8")
            wanted = load_config(file)
            load.ranks[wanted.fingerprint] = "interest" in wanted.scenes["item_page"].rankers
            if number % 4 == 3:
                # Both may change at once.
                twins.swap()
                operator.reload_bundle()
            done = operator.reload_config(expected_fingerprint=wanted.fingerprint)
            assert done.switched
            assert done.fingerprint == wanted.fingerprint
            # Who asks after the reload is answered by the new one.
            window = ask(operator, number)
            assert window.versions.config == wanted.fingerprint
            assert operator.get_config().fingerprint == wanted.fingerprint
            time.sleep(0.1)
        assert metric(server, 'vitrine_config_reloads_total{result="switched"}') == 3 * len(states) - 1
    print(
        f"{len(load.fingerprints)} calls over {len(set(load.fingerprints))} configurations, {load.unknown} unknown scenes"
    )
    assert not load.wrong, f"{len(load.wrong)} of {len(load.fingerprints)}: {load.wrong[:3]}"
    assert set(load.fingerprints) == set(load.ranks)
    assert load.unknown
    assert len(load.fingerprints) > 200


async def test_what_is_served_is_told(server: ServerProcess, file: Path) -> None:
    async with AsyncVitrine(server.address) as shop:
        told = await shop.get_config()
        assert told.fingerprint == load_config(file).fingerprint
        assert told.description == "a file over the defaults"
        assert abs(told.served_since.ToSeconds() - time.time()) < 60
        assert "/" not in str(told)
        push = next(scene for scene in told.scenes if scene.name == "push")
        assert [(s.name, s.limit) for s in push.sources] == [("popular", 50)]
        assert [(w.name, w.weight) for w in push.weights] == [("cf", 1.0)]
        assert {s.name: s for s in told.scenes}["home"].reranker == "lightgbm"
        assert not (await shop.reload_config()).switched


def test_the_command_says_what_it_did(server: ServerProcess, file: Path) -> None:
    before = load_config(file).fingerprint
    command = ["reload", "--config", "--address", server.address]
    assert f"configuration {before} as before" in CliRunner().invoke(app, command).output
    file.write_text(text(interest=0.5), "utf-8")
    after = load_config(file).fingerprint
    assert f"configuration {after} instead of {before}, after" in CliRunner().invoke(app, command).output
    refused = CliRunner().invoke(app, [*command, "--expect", before])
    assert "not the expected one" in str(refused.exception)
    file.write_text("rankr = 1\n", "utf-8")
    refused = CliRunner().invoke(app, command)
    assert str(refused.exception).startswith(
        f"{server.address}: the configuration is refused, {after} goes on: "
    )
    assert "`vitrine config check FILE`" in str(refused.exception)


def test_a_file_that_is_refused_changes_nothing(server: ServerProcess, file: Path, tmp_path: Path) -> None:
    before = load_config(file).fingerprint
    with Vitrine(server.address) as shop, Load(address=server.address, ranks={before: False}) as load:
        for wrong, says in (
            ("[scenes.push", "not a valid TOML file"),
            (text() + "wieght = 1", "unknown key 'scenes.push.wieght'; did you mean 'weights'?"),
            (text().replace("cf = 1.0", "nosuch = 1.0"), "no installed package offers a ranker 'nosuch'"),
            (
                text() + "[profile]\nmax_items = 7",
                "profile.max_items cannot change while the server runs; restart",
            ),
        ):
            file.write_text(wrong, "utf-8")
            with pytest.raises(NotReady) as refused:
                shop.reload_config()
            assert says in str(refused.value)
            assert before in str(refused.value), "it says what goes on"
            assert str(tmp_path) not in str(refused.value)
        with pytest.raises(grpc.RpcError) as failed:
            shop.config.ReloadConfig(config_pb2.ReloadConfigRequest())
        status = rpc_status.from_call(failed.value)  # type: ignore[arg-type]
        assert status is not None
        (detail,) = status.details
        info = error_details_pb2.ErrorInfo()
        assert detail.Unpack(info)
        assert (info.reason, dict(info.metadata)) == ("NEEDS_RESTART", {"served_fingerprint": before})
        assert metric(server, 'vitrine_config_reloads_total{result="refused"}') == 5
        assert shop.get_config().fingerprint == before
    assert not load.wrong
    assert set(load.fingerprints) == {before}


def test_the_file_is_watched(twins: Twins, file: Path, tmp_path: Path) -> None:
    with (
        ServerProcess(
            bundle=twins.folder,
            store=twins.fill(tmp_path / "store"),
            log=tmp_path / "log",
            args=("--config", str(file)),
        ) as server,
        Vitrine(server.address) as shop,
        Load(address=server.address, ranks={}) as load,
    ):
        file.write_text(text(interest=0.5), "utf-8")
        wanted = load_config(file).fingerprint
        until("the watch", lambda: shop.get_config().fingerprint == wanted)
        assert ask(shop, 3).versions.config == wanted
        file.write_text("sed = 1", "utf-8")
        until("the watch", lambda: metric(server, 'vitrine_config_reloads_total{result="refused"}') >= 1)
        # It looks again, and says it no more.
        time.sleep(2.5)
        assert (tmp_path / "log").read_text().count("the configuration is refused") == 1
        assert shop.get_config().fingerprint == wanted
    assert not load.wrong


@pytest.mark.slow
def test_a_split_shop_is_told_part_by_part(twins: Twins, file: Path, tmp_path: Path) -> None:
    store = twins.fill(tmp_path / "split")
    with ExitStack() as closing:
        split = start_split(
            World(tmp_path, twins.folder, store), store, closing, "--config", str(file), "--no-watch-config"
        )
        parts = {name: closing.enter_context(split.client(name)) for name in split.parts}
        first = load_config(file).fingerprint
        assert {part.get_config().fingerprint for part in parts.values()} == {first}
        with Load(address=split.address, ranks={}) as load:
            for state in (text(interest=0.5), text(cf=0.2), text(interest=0.5, diversity=0.1)):
                file.write_text(state, "utf-8")
                wanted = load_config(file).fingerprint
                # What a front asks for must be there before it asks.
                for name in ("retrieval", "ranking", "profile", "recommendation"):
                    assert parts[name].reload_config(expected_fingerprint=wanted).switched
                assert ask(parts["recommendation"], 1).versions.config == wanted
        assert not load.wrong, f"{len(load.wrong)} of {len(load.fingerprints)}: {load.wrong[:3]}"
        file.write_text("[profile]\nmax_items = 7", "utf-8")
        for part in parts.values():
            with pytest.raises(NotReady, match=r"profile\.max_items"):
                part.reload_config()
