"""Reloading: what is refused, what is said of it, and what the watch does about it."""

import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.twins import Twins
from vitrine.app.generations import Generation
from vitrine.app.maker import Maker
from vitrine.app.reload import Reloader
from vitrine.app.shop import Shop
from vitrine.app.watch import Watch, look_at
from vitrine.bundle import Bundle
from vitrine.config import Config, load_config
from vitrine.domain.clock import system_clock
from vitrine.errors import BundleError, BundleRefused, ConfigError
from vitrine.rpc.metrics import Metrics


@pytest.fixture
def reloader(shop: Shop) -> Reloader:
    return shop.reloader


def counted(metrics: Metrics, result: str) -> float:
    return metrics.registry.get_sample_value("vitrine_bundle_reloads_total", {"result": result}) or 0.0


def spoil(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)


def test_a_reload_switches_once(twins: Twins, reloader: Reloader, metrics: Metrics) -> None:
    assert not reloader.reload().switched
    version = twins.swap()
    done = reloader.reload(version)
    assert (done.version, done.previous_version, done.switched) == (version, twins.versions[0], True)
    again = reloader.reload()
    assert (again.version, again.previous_version, again.switched) == (version, version, False)
    assert (counted(metrics, "switched"), counted(metrics, "unchanged")) == (1, 2)
    assert metrics.registry.get_sample_value("vitrine_bundle_info", {"version": version}) == 1
    assert metrics.registry.get_sample_value("vitrine_bundle_info", {"version": twins.versions[0]}) is None
    served = reloader.served()
    assert (served.version, served.previous_version) == (version, twins.versions[0])


@pytest.mark.parametrize("name", ["manifest.json", "items.parquet", "linear.weights.npy"])
def test_what_is_refused_is_named_without_where_it_lies(
    twins: Twins, reloader: Reloader, metrics: Metrics, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    twins.swap()
    spoil(twins.folder, name)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with pytest.raises(BundleRefused, match=f": {name}: ") as refused:
                reloader.reload()
            assert refused.value.reason == "INVALID_BUNDLE"
            assert refused.value.served == twins.versions[0]
            assert "/" not in str(refused.value)
    assert caplog.text.count("is refused") == 1
    assert counted(metrics, "refused") == 3
    assert reloader.generations.current.version == twins.versions[0]


def test_a_folder_that_is_gone_or_another_version_is_refused(twins: Twins, reloader: Reloader) -> None:
    with pytest.raises(BundleRefused, match=f"holds version {twins.versions[0]}") as refused:
        reloader.reload("0123456789ab")
    assert refused.value.reason == "UNEXPECTED_VERSION"
    shutil.rmtree(twins.folder)
    with pytest.raises(BundleRefused, match="no such bundle folder") as refused:
        reloader.reload()
    assert "/" not in str(refused.value)


def test_a_server_without_a_bundle_says_so(tmp_path: Path) -> None:
    with ExitStack() as closing:
        shop = Shop.open(tmp_path / "store", None, load_config(), system_clock, closing)
        assert shop.reloader.served().version == ""
        with pytest.raises(BundleRefused, match="without --bundle") as refused:
            shop.reloader.reload()
        assert refused.value.reason == "NO_BUNDLE"


def test_what_a_library_says_of_this_machine_stays_here(twins: Twins, shop: Shop) -> None:
    class Lost(Maker):
        def load(self, folder: Path, /) -> Bundle:
            raise ConfigError(
                "provider 'cuda' was demanded: (CUDA failure 2: out of memory; hostname=web-17; "
                "file=/src/cuda_call.cc; cannot open /usr/lib/libcudnn.so.9); or set provider = 'auto'"
            )

    config = load_config(twins.config)
    maker = Lost(shop.stores.catalog, config, system_clock, finding=None, ranks=True)
    reloader = Reloader(twins.folder, maker, shop.reloader.generations, Metrics())
    with pytest.raises(BundleRefused, match=r"out of memory.*or set provider = 'auto'") as refused:
        reloader.reload()
    for internal in ("/", "web-17", "libcudnn", "cuda_call"):
        assert internal not in str(refused.value)


class Breaking:
    """Makes generations like another, but what comes after the first does not come to life."""

    def __init__(self, maker: Maker, error: Exception | None) -> None:
        self._maker = maker
        self._error = error
        self._first = True

    def load(self, folder: Path, /) -> Bundle:
        return self._maker.load(folder)

    def make(self, bundle: Bundle | None, config: Config | None = None, /) -> Generation:
        return self._broken(self._maker.make(bundle, config))

    def again(self, served: Generation, config: Config, /) -> Generation:
        return self._broken(self._maker.again(served, config))

    def _broken(self, made: Generation) -> Generation:
        if self._first:
            self._first = False
            return made
        if self._error is not None:
            raise self._error
        return replace(made, failing=frozenset({"ranker:cf"}))


@pytest.mark.parametrize(
    ("error", "says"),
    [(None, "ranker:cf failed in the warm-up"), (KeyError("row 17"), "could not be made ready")],
)
def test_a_bundle_that_does_not_work_here_is_refused(
    twins: Twins, shop: Shop, error: Exception | None, says: str
) -> None:
    maker = Maker(shop.stores.catalog, load_config(twins.config), system_clock, finding=None, ranks=True)
    reloader = Reloader.open(twins.folder, Breaking(maker, error), Metrics())
    twins.swap()
    listening = len(shop.stores.catalog._listeners)
    with pytest.raises(BundleRefused, match=says) as refused:
        reloader.reload()
    assert "row 17" not in str(refused.value)
    assert refused.value.reason == "NOT_READY"
    assert reloader.generations.current.version == twins.versions[0]
    if error is None:
        assert len(shop.stores.catalog._listeners) == listening, "it no longer follows the catalogue"
    reloader.generations.close()


def test_the_watch_waits_until_a_folder_has_come_to_rest(twins: Twins, reloader: Reloader) -> None:
    with ThreadPoolExecutor(1) as thread:
        watch = Watch([reloader], thread)
        version = twins.swap()
        whole = twins.folder.with_name("whole")
        twins.folder.rename(whole)
        watch.look()
        watch.look()
        # Somebody copies it file by file, the manifest first.
        for file in sorted((p for p in whole.rglob("*") if p.is_file()), reverse=True):
            copy = twins.folder / file.relative_to(whole)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
            watch.look()
        assert reloader.generations.current.version == twins.versions[0]
        watch.look()
        assert reloader.generations.current.version == version


def test_the_watch_reads_a_refused_folder_again_when_a_file_of_it_changes(
    twins: Twins, reloader: Reloader, metrics: Metrics
) -> None:
    with ThreadPoolExecutor(1) as thread:
        watch = Watch([reloader], thread)
        version = twins.swap()
        good = (twins.folder / "linear.weights.npy").read_bytes()
        spoil(twins.folder, "linear.weights.npy")
        for _ in range(5):
            watch.look()
        assert counted(metrics, "refused") == 1
        (twins.folder / "linear.weights.npy").write_bytes(good)
        for _ in range(2):
            watch.look()
        assert reloader.generations.current.version == version


def test_a_watch_that_is_off_only_lets_go(twins: Twins, reloader: Reloader) -> None:
    with ThreadPoolExecutor(1) as thread:
        watch = Watch([], thread, tidy=reloader.expire)
        twins.swap()
        for _ in range(3):
            watch.look()
        assert reloader.generations.current.version == twins.versions[0]


def test_how_a_folder_looks_changes_with_any_file(twins: Twins) -> None:
    before = look_at(twins.folder)
    assert before is not None
    assert look_at(twins.folder) == before
    (twins.folder / "extra").mkdir()
    (twins.folder / "extra" / "file").touch()
    after = look_at(twins.folder)
    assert after is not None
    assert after != before
    assert after.manifest == before.manifest
    (twins.folder / "manifest.json").unlink()
    assert look_at(twins.folder) is None


def test_a_bad_bundle_at_the_start_is_an_error_with_its_path(twins: Twins, shop: Shop) -> None:
    spoil(twins.folder, "manifest.json")
    maker = Maker(shop.stores.catalog, load_config(twins.config), system_clock, finding=None, ranks=True)
    with pytest.raises(BundleError, match=str(twins.folder)):
        Reloader.open(twins.folder, maker, Metrics())
