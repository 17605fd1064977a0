"""The configuration file is read again: what is switched to, what is refused and how that is said."""

import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from tests.support.twins import Twins
from vitrine.app import check
from vitrine.app.reconfigure import ConfigReloader, Standing
from vitrine.app.shop import Shop
from vitrine.app.watch import Watch
from vitrine.config import Config, load_config
from vitrine.domain.clock import system_clock
from vitrine.errors import ConfigRefused
from vitrine.hosting import discovery
from vitrine.plugin import CONTRACT, ENTRY_POINT_GROUP, MissingData, hookimpl
from vitrine.rpc.metrics import Metrics


@pytest.fixture
def reloader(twins: Twins, shop: Shop, metrics: Metrics) -> ConfigReloader:
    return ConfigReloader(twins.config, "all", shop.reloader, metrics)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "shop.toml").write_text("[scenes.home]\ndiversity = 0.1\n", "utf-8")
    return tmp_path / "shop.toml"


@pytest.fixture
def front(file: Path, metrics: Metrics) -> ConfigReloader:
    return ConfigReloader(file, "recommendation", Standing(load_config(file)), metrics)


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text("utf-8") + text + "\n", "utf-8")


def counted(metrics: Metrics, result: str) -> float:
    return metrics.registry.get_sample_value("vitrine_config_reloads_total", {"result": result}) or 0.0


def test_a_front_goes_by_the_file_of_now(file: Path, front: ConfigReloader, metrics: Metrics) -> None:
    before = front.config.fingerprint
    assert not front.reload().switched
    add(file, "candidates = 9")
    done = front.reload()
    assert front.config.scenes["home"].candidates == 9
    assert (done.previous_fingerprint, done.switched) == (before, True)
    assert done.fingerprint == front.config.fingerprint == load_config(file).fingerprint
    assert (counted(metrics, "switched"), counted(metrics, "unchanged")) == (1, 1)
    assert metrics.registry.get_sample_value("vitrine_config_info", {"fingerprint": done.fingerprint}) == 1
    assert metrics.registry.get_sample_value("vitrine_config_info", {"fingerprint": before}) is None


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        ("sed = 1", "INVALID_CONFIG", "unknown key 'scenes.home.sed'"),
        (
            "[scenes.home.sources]\npoplar = 1",
            "INVALID_CONFIG",
            "unknown source 'poplar'; did you mean 'popular'?",
        ),
        ("[[", "INVALID_CONFIG", "not a valid TOML file"),
        (
            "[profile]\nmax_items = 3",
            "NEEDS_RESTART",
            "profile.max_items cannot change while the server runs; restart",
        ),
        (
            "[retrieval]\nmax_seeds = 3\ntrending_half_life_days = 3\n[inference]\nthreads = 3",
            "NEEDS_RESTART",
            "retrieval.trending_half_life_days, inference.threads cannot change",
        ),
    ],
)
def test_what_is_refused_is_named_without_where_it_lies(
    file: Path,
    front: ConfigReloader,
    metrics: Metrics,
    caplog: pytest.LogCaptureFixture,
    text: str,
    reason: str,
    says: str,
) -> None:
    before = front.config
    add(file, text)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with pytest.raises(ConfigRefused) as refused:
                front.reload()
    assert refused.value.reason == reason
    assert refused.value.served == before.fingerprint
    said = str(refused.value)
    assert says in said
    assert said.startswith(f"the configuration is refused, {before.fingerprint} goes on: ")
    assert "/" not in said
    assert front.config is before
    assert caplog.text.count("is refused") == 1
    assert counted(metrics, "refused") == 3


def test_a_file_that_is_gone_and_one_that_is_not_expected_are_refused(
    file: Path, front: ConfigReloader
) -> None:
    with pytest.raises(ConfigRefused, match=f"fingerprint is {front.config.fingerprint} and not") as refused:
        front.reload("0123456789ab")
    assert refused.value.reason == "UNEXPECTED_FINGERPRINT"
    assert not front.reload(front.config.fingerprint).switched
    file.unlink()
    with pytest.raises(ConfigRefused, match="the file: no such configuration file") as refused:
        front.reload()
    assert "/" not in str(refused.value)


def test_a_server_on_the_defaults_says_so(metrics: Metrics) -> None:
    reloader = ConfigReloader(None, "all", Standing(load_config()), metrics)
    with pytest.raises(ConfigRefused, match="without --config; restart it with one") as refused:
        reloader.reload()
    assert refused.value.reason == "NO_CONFIG"
    assert reloader.description == "the defaults"


def test_the_watch_waits_until_the_file_has_come_to_rest(
    file: Path, front: ConfigReloader, metrics: Metrics
) -> None:
    with ThreadPoolExecutor(1) as thread:
        watch = Watch([front], thread)
        for n in range(3):
            add(file, f"# {n}")
            watch.look()
        add(file, "candidates = 9")
        watch.look()
        assert front.config.scenes["home"].candidates != 9
        watch.look()
        assert front.config.scenes["home"].candidates == 9
        add(file, "mistake = 1")
        for _ in range(5):
            watch.look()
        assert counted(metrics, "refused") == 1
        assert front.config.scenes["home"].candidates == 9
        file.unlink()
        for _ in range(3):
            watch.look()
        assert counted(metrics, "refused") == 1, "a file that is replaced is gone for a moment"
        file.write_text("[scenes.home]\ncandidates = 10\n", "utf-8")
        watch.look()
        watch.look()
        assert front.config.scenes["home"].candidates == 10


def test_what_changed_while_the_server_started_is_a_change(file: Path, metrics: Metrics) -> None:
    started = load_config(file)
    add(file, "candidates = 9")
    reloader = ConfigReloader(file, "recommendation", Standing(started), metrics)
    with ThreadPoolExecutor(1) as thread:
        watch = Watch([reloader], thread)
        watch.look()
        watch.look()
    assert reloader.config.scenes["home"].candidates == 9


def test_a_scene_and_its_rankers_are_made_anew_around_the_same_bundle(
    twins: Twins, shop: Shop, reloader: ConfigReloader
) -> None:
    served = shop.reloader.generations
    first, listening = served.current, len(shop.stores.catalog._listeners)
    assert first.engine is not None
    add(
        twins.config,
        "[scenes.push]\nsources = { popular = 5 }\nweights = { cf = 1.0 }\n[scenes.home.weights]\ncf = 3",
    )
    done = reloader.reload()
    second = served.current
    assert second.config.fingerprint == done.fingerprint
    assert second.attached is first.attached
    assert (second.version, second.since) == (first.version, first.since)
    assert second.engine is not None
    assert second.engine.versions.config == done.fingerprint
    assert served.previous is first
    assert served.pick(first.version) is second, (
        "who asks for the bundle gets it with the configuration of now"
    )
    assert shop.reloader.served().previous_version == ""
    # The bundle that both had goes on following the catalogue when the first is let go of.
    served.switch(replace(second))
    assert len(shop.stores.catalog._listeners) == listening
    version = twins.swap()
    assert shop.reloader.reload().version == version
    assert served.current.config.fingerprint == done.fingerprint, "another bundle keeps the configuration"
    served.switch(replace(served.current))
    assert len(shop.stores.catalog._listeners) == listening, "the first bundle is let go of"


def test_a_server_without_a_bundle_is_told_another_configuration(
    file: Path, tmp_path: Path, metrics: Metrics
) -> None:
    with ExitStack() as closing:
        shop = Shop.open(tmp_path / "store", None, load_config(file), system_clock, closing, metrics)
        reloader = ConfigReloader(file, "all", shop.reloader, metrics)
        add(file, "candidates = 9")
        assert reloader.reload().switched
        assert shop.reloader.config.scenes["home"].candidates == 9
        assert shop.reloader.served().version == ""


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs another plugin, while the server runs."""

    def install(name: str, **hooks: Callable[..., Any]) -> None:
        module = ModuleType(f"made_{name}")
        vars(module)["VITRINE_CONTRACT"] = CONTRACT
        for hook, answer in hooks.items():
            setattr(module, f"vitrine_{hook}", hookimpl(answer))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        entry = EntryPoint(name, module.__name__, ENTRY_POINT_GROUP)
        for place in (check, discovery):
            found = [*vars(place)["entry_points"](group=ENTRY_POINT_GROUP), entry]
            monkeypatch.setattr(place, "entry_points", lambda found=found, **_: found)

    return install


class Settings(BaseModel):
    months: int = 3


class Broken:
    name, version, reason, budget_ms = "broken", "1", None, 5.0

    def score(self, batch: object) -> object:
        raise ValueError("row 17")


def test_a_plugin_that_was_installed_meanwhile_is_taken_up_and_told_its_settings(
    twins: Twins, shop: Shop, reloader: ConfigReloader, installed: Callable[..., None]
) -> None:
    told: list[Any] = []

    def make(load: Any) -> Any:
        told.append(load.settings)
        raise MissingData("nothing to learn from")

    text = (
        twins.config.read_text("utf-8").replace("cf = 1,", "cf = 1, season = 1,")
        + "[plugins.season.settings]\n"
    )
    twins.config.write_text(f"{text}mnths = 5")
    with pytest.raises(ConfigRefused, match="no installed package offers a ranker 'season'"):
        reloader.reload()
    installed("season", make_ranker=make, settings=lambda: Settings)
    with pytest.raises(
        ConfigRefused, match=r"'plugins.season.settings.mnths'; did you mean 'months'"
    ) as refused:
        reloader.reload()
    assert refused.value.reason == "INVALID_CONFIG"
    twins.config.write_text(f"{text}months = 5")
    assert reloader.reload().switched
    assert told == [Settings(months=5)]
    engine = shop.reloader.generations.current.engine
    assert engine is not None
    assert engine.rankers.off["season"] == "nothing to learn from"


def test_a_ranker_that_fails_in_the_warm_up_is_not_switched_to(
    twins: Twins, shop: Shop, reloader: ConfigReloader, installed: Callable[..., None]
) -> None:
    installed("broken", make_ranker=lambda load: Broken())
    before, listening = shop.reloader.generations.current, len(shop.stores.catalog._listeners)
    twins.config.write_text(twins.config.read_text("utf-8").replace("cf = 1,", "cf = 1, broken = 1,"))
    with pytest.raises(ConfigRefused, match="ranker:broken failed in the warm-up") as refused:
        reloader.reload()
    assert refused.value.reason == "NOT_READY"
    assert "row 17" not in str(refused.value)
    assert shop.reloader.generations.current is before
    assert len(shop.stores.catalog._listeners) == listening


def test_a_ranker_that_hangs_does_not_keep_the_reload(
    twins: Twins, shop: Shop, reloader: ConfigReloader, installed: Callable[..., None]
) -> None:
    released = Event()

    class Hanging(Broken):
        def score(self, batch: object) -> object:
            released.wait(20)
            return None

    installed("broken", make_ranker=lambda load: Hanging())
    twins.config.write_text(twins.config.read_text("utf-8").replace("cf = 1,", "cf = 1, broken = 1,"))
    before, started = reloader.config, time.monotonic()
    try:
        with pytest.raises(ConfigRefused, match="ranker:broken failed in the warm-up"):
            reloader.reload()
        assert time.monotonic() - started < 5
    finally:
        released.set()
    assert reloader.config is before


def test_what_cannot_be_foreseen_changes_nothing(
    reloader: ConfigReloader, shop: Shop, twins: Twins, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(config: Config) -> None:
        raise KeyError("/secret/path")

    monkeypatch.setattr(shop.reloader, "use", fail)
    add(twins.config, "[scenes.home]\ncandidates = 3")
    with pytest.raises(ConfigRefused, match="the server's log says why") as refused:
        reloader.reload()
    assert refused.value.reason == "NOT_READY"
    assert "secret" not in str(refused.value)


def test_what_was_not_ready_is_looked_at_once_more(file: Path, metrics: Metrics) -> None:
    class Ends(Standing):
        """Whoever was to try it ends."""

        tries = 0

        def use(self, config: Config) -> None:
            self.tries += 1
            raise ConfigRefused("NOT_READY", "worker 1 ended", self.config.fingerprint)

    using = Ends(load_config(file))
    front = ConfigReloader(file, "recommendation", using, metrics)
    add(file, "candidates = 9")
    for tries in (1, 2):
        assert front.look() != front.seen
        with pytest.raises(ConfigRefused):
            front.reload()
        assert using.tries == tries
    assert front.look() == front.seen
    add(file, "# once more")
    assert front.look() != front.seen
