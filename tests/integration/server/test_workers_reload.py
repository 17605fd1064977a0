"""Bundle and configuration reach all workers: who asks after a reload gets the new one, whoever answers."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.server.test_swap import Load, ask, metric
from tests.integration.server.test_workers import healthy, workers
from tests.support.patience import PATIENCE
from tests.support.twins import Twins
from tests.support.until import until
from vitrine.app.process import ServerProcess
from vitrine.client import NotReady, Vitrine

PAGE = """
[scenes.item_page]
reranker = ""
diversity = {diversity}
weights = {{ "source:co_visitation" = 1, cf = 1, content = 0.01, interest = 0.01, deep = 0.01, lightgbm = 0.01 }}
"""


@pytest.fixture
def twins(tmp_path: Path) -> Twins:
    return Twins.make(tmp_path / "bundles")


@pytest.fixture
def server(twins: Twins, tmp_path: Path) -> Iterator[ServerProcess]:
    store = twins.fill(tmp_path / "store")
    args = ("--workers", "2", "--config", str(twins.config), "--no-watch-config")
    with ServerProcess(bundle=twins.folder, store=store, log=tmp_path / "log", args=args) as running:
        yield running


def versions(shop: Vitrine) -> set[str]:
    """Of eight answers, and so of both workers."""
    return {ask(shop, number).versions.bundle for number in range(8)}


def test_a_bundle_reaches_all_workers_and_no_answer_mixes_two(
    twins: Twins, server: ServerProcess, tmp_path: Path
) -> None:
    with Vitrine(server.address) as shop, Load(twins=twins, address=server.address, count=2) as load:
        for _ in range(3):
            version = twins.swap()
            assert shop.reload_bundle(timeout=60).version == version
            assert versions(shop) == {version}
            assert shop.get_bundle().version == version
            assert {m.name for m in shop.get_bundle().models} == {"interest", "deep", "lightgbm"}
        # The folder is watched, too.
        version = twins.swap()
        until("the watch", lambda: versions(shop) == {version})
        # A worker that is started anew serves what the others serve.
        workers(server)[0].kill()
        until("its end", lambda: not (healthy(server, "worker:1") and healthy(server, "worker:2")))
        until("its return", lambda: healthy(server, "worker:1") and healthy(server, "worker:2"))
        assert versions(shop) == {version}
    assert not load.wrong
    assert metric(server, 'vitrine_bundle_info{version="' + version) == 1.0


def test_a_damaged_bundle_is_refused_by_all_and_the_old_one_goes_on(
    twins: Twins, server: ServerProcess, tmp_path: Path
) -> None:
    with Vitrine(server.address) as shop, Load(twins=twins, address=server.address, count=2) as load:
        damaged = twins.folder.with_name("other") / "linear.weights.npy"
        damaged.write_bytes(damaged.read_bytes()[:1000])
        twins.swap()
        with pytest.raises(NotReady) as refused:
            shop.reload_bundle(timeout=60)
        assert "linear.weights.npy: has" in str(refused.value)
        assert twins.versions[0] in str(refused.value)
        assert str(tmp_path) not in str(refused.value)
        assert versions(shop) == {twins.versions[0]}
        # A worker that is started anew serves what the others serve, whatever lies in the folder.
        workers(server)[0].kill()
        until("its end", lambda: not (healthy(server, "worker:1") and healthy(server, "worker:2")))
        until("its return", lambda: healthy(server, "worker:1") and healthy(server, "worker:2"))
        assert versions(shop) == {twins.versions[0]}
    assert not load.wrong


def test_a_configuration_reaches_all_workers(twins: Twins, server: ServerProcess) -> None:
    with Vitrine(server.address) as shop:
        before = shop.get_config().fingerprint
        twins.config.write_text(PAGE.format(diversity=0.5) + PATIENCE)
        done = shop.reload_config(timeout=60)
        assert done.switched
        assert done.fingerprint != before
        assert {ask(shop, n).versions.config for n in range(8)} == {done.fingerprint}
        twins.config.write_text(PAGE.format(diversity=7) + PATIENCE)
        with pytest.raises(NotReady, match="diversity"):
            shop.reload_config(timeout=60)
        assert {ask(shop, n).versions.config for n in range(8)} == {done.fingerprint}
        # A worker that is started anew goes by what the others go by, whatever the file says now.
        workers(server)[0].kill()
        until("its end", lambda: not (healthy(server, "worker:1") and healthy(server, "worker:2")))
        until("its return", lambda: healthy(server, "worker:1") and healthy(server, "worker:2"))
        time.sleep(0.2)
        assert {ask(shop, n).versions.config for n in range(8)} == {done.fingerprint}
