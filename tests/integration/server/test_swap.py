"""Bundles are swapped while a real server serves: nothing fails, nothing mixes, and memory returns."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil  # type: ignore[import-untyped]
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.integration.server.test_split import Split, start_split
from tests.support.callers import Callers
from tests.support.twins import Twins, Window, item_id
from tests.support.until import until
from tests.support.world import World
from vitrine.api.bundle.v1 import bundle_pb2
from vitrine.api.common.v1 import common_pb2
from vitrine.app.process import ServerProcess
from vitrine.client import NotReady, Vitrine, VitrineError

CLIENTS = 4
PAUSE = 0.004
SWAPS = 100
# Swaps after which every arena, cache and pool has its size.
WARM = 30
# Of the answers. A swap that held up the clients would hold up more than the rest; a busy machine holds up one in a hundred.
SHARE = 0.95
# Milliseconds: less than a swap takes.
HELD_UP = 120.0


@dataclass(kw_only=True)
class Load(Callers):
    """Clients that ask for windows without end, and what they got.

    Attributes:
        seconds: How long each answer took.
        versions: The bundle of each answer.
    """

    count: int = CLIENTS
    pause: float = PAUSE
    twins: Twins
    seconds: list[float] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)

    def call(self, shop: Vitrine, client: int, number: int) -> None:
        try:
            started = time.perf_counter()
            # Together they soon ask about all items, or what is remembered of each would grow beside the swaps.
            window = ask(shop, (number + client * self.twins.count // self.count) % self.twins.count)
            self.seconds.append(time.perf_counter() - started)
            self.versions.append(window.versions.bundle)
            if problem := self.twins.mixed(window):
                self.wrong.append(problem)
        except VitrineError as error:
            self.wrong.append(repr(error))

    def milliseconds(self, share: float, since: int) -> float:
        """Within which this share of the answers came."""
        return float(np.quantile(self.seconds[since:], share)) * 1000


def ask(shop: Vitrine, number: int) -> Window:
    return shop.recommend(
        f"shopper-{number}", "item_page", 20, item_ids=[item_id(number)], include_scores=True, timeout=5
    )


def serves(shop: Vitrine, version: str) -> bool:
    return ask(shop, 1).versions.bundle == version


def metric(server: ServerProcess, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=5) as page:
        lines = [line for line in page.read().decode().splitlines() if line.startswith(name)]
    return float(lines[0].rsplit(" ", 1)[1]) if lines else 0.0


def refusals(server: ServerProcess) -> float:
    return metric(server, 'vitrine_bundle_reloads_total{result="refused"}')


@pytest.fixture
def twins(tmp_path: Path) -> Twins:
    return Twins.make(tmp_path / "bundles")


@pytest.fixture
def server(twins: Twins, tmp_path: Path) -> Iterator[ServerProcess]:
    store = twins.fill(tmp_path / "store")
    with ServerProcess(
        bundle=twins.folder, store=store, log=tmp_path / "log", args=("--config", str(twins.config))
    ) as running:
        yield running


@pytest.mark.slow
def test_a_hundred_swaps_under_load(tmp_path: Path) -> None:
    twins = Twins.make(tmp_path / "bundles", 2000)
    store = twins.fill(tmp_path / "store")
    with (
        ServerProcess(
            bundle=twins.folder, store=store, log=tmp_path / "log", args=("--config", str(twins.config))
        ) as server,
        Vitrine(server.address) as operator,
        Load(twins=twins, address=server.address) as load,
    ):
        process = psutil.Process(server.pid)
        time.sleep(1.5)
        calm = load.milliseconds(SHARE, len(load.seconds) // 3)
        swapped = 0
        memory: list[float] = []
        since = len(load.seconds)
        for n in range(WARM + SWAPS):
            version = twins.swap()
            done = operator.reload_bundle()
            assert done.version == version
            # The watch may have been quicker.
            swapped += done.switched
            # Who asks after the reload gets the new one.
            assert ask(operator, n).versions.bundle == version
            memory.append(process.memory_info().rss / 2**20)
        during, last = load.milliseconds(SHARE, since), load.milliseconds(0.99, since)
        assert metric(server, 'vitrine_bundle_reloads_total{result="switched"}') == WARM + SWAPS
    before, after = np.median(memory[WARM : WARM + 10]), np.median(memory[-10:])
    print(
        f"{len(load.seconds)} calls; p95 {calm:.1f} ms before, {during:.1f} ms (p99 {last:.1f} ms) during {WARM + SWAPS} swaps "
        f"({swapped} by call); RSS {memory[0]:.1f}, {before:.1f} → {after:.1f} MiB"
    )
    assert not load.wrong, f"{len(load.wrong)} of {len(load.seconds)}: {load.wrong[:3]}"
    assert set(load.versions) == set(twins.versions)
    assert len(load.seconds) > 500
    # Rankers have time here, and so a swap that held them up would not be told of.
    assert during < max(5 * calm, HELD_UP), "a swap holds up nobody"
    assert after - before < 8


def test_the_folder_is_watched(twins: Twins, server: ServerProcess) -> None:
    with Vitrine(server.address) as shop, Load(twins=twins, address=server.address) as load:
        assert ask(shop, 3).versions.bundle == twins.versions[0]
        version = twins.swap()
        until("the watch", lambda: shop.get_bundle().version == version)
        assert ask(shop, 3).versions.bundle == version
        served = shop.get_bundle()
        assert served.previous_version == twins.versions[0]
        models = {m.name: (m.kind, m.provider) for m in served.models}
        assert models.keys() == {"interest", "deep", "lightgbm"}
        assert models["lightgbm"] == ("lightgbm", "cpu")
        assert models["deep"] in {("onnx", "cpu"), ("onnx", "cuda")}
        assert abs(served.served_since.ToSeconds() - time.time()) < 60
        # A folder that is missing for a moment is no fault.
        twins.folder.rename(twins.folder.with_name("elsewhere"))
        time.sleep(2.5)
        twins.folder.with_name("elsewhere").rename(twins.folder)
        time.sleep(2.5)
    assert not load.wrong
    assert refusals(server) == 0


def test_a_damaged_bundle_is_refused_and_the_old_one_goes_on(
    twins: Twins, server: ServerProcess, tmp_path: Path
) -> None:
    with Vitrine(server.address) as shop, Load(twins=twins, address=server.address) as load:
        other = twins.folder.with_name("other")
        good = (other / "linear.weights.npy").read_bytes()
        (other / "linear.weights.npy").write_bytes(good[: len(good) // 2])
        expected = twins.swap()
        with pytest.raises(NotReady) as refused:
            shop.reload_bundle()
        text = str(refused.value)
        assert "linear.weights.npy: has" in text
        assert twins.versions[0] in text, "it says what goes on"
        assert str(tmp_path) not in text
        assert "/" not in text
        # The watch sees it too, again and again: one line in the log is enough.
        until("the watch", lambda: refusals(server) >= 1)
        time.sleep(4.5)
        log = (tmp_path / "log").read_text()
        assert log.count("the bundle is refused") == 1
        assert shop.get_bundle().version == twins.versions[0]
        assert not load.wrong
        assert set(load.versions) == {twins.versions[0]}
        # Once it is mended it is taken, by the same manifest.
        (twins.folder / "linear.weights.npy").write_bytes(good)
        until("the mended bundle", lambda: shop.get_bundle().version == expected)
        with pytest.raises(NotReady, match=r"holds version .* and not the expected one"):
            shop.reload_bundle(expected_version="0123456789ab")
        assert not shop.reload_bundle(expected_version=expected).switched
    assert not load.wrong


def test_files_of_the_served_bundle_may_be_cut_off(twins: Twins, server: ServerProcess) -> None:
    with Vitrine(server.address) as shop, Load(twins=twins, address=server.address) as load:
        for file in twins.folder.glob("*.npy"):
            with file.open("r+b") as opened:
                opened.truncate(100)
        with pytest.raises(NotReady, match="has 100 bytes"):
            shop.reload_bundle()
        time.sleep(0.5)
        assert ask(shop, 5).versions.bundle == twins.versions[0]
    assert not load.wrong


def split_of(twins: Twins, root: Path, closing: ExitStack, *more: str) -> Split:
    store = twins.fill(root / "split")
    return start_split(World(root, twins.folder, store), store, closing, "--config", str(twins.config), *more)


@pytest.mark.slow
def test_a_split_shop_is_swapped_part_by_part(twins: Twins, tmp_path: Path) -> None:
    with ExitStack() as closing:
        split = split_of(twins, tmp_path, closing, "--no-watch-bundle")
        parts = [closing.enter_context(split.client(name)) for name in ("ranking", "retrieval")]
        with Vitrine(split.address) as front, Load(twins=twins, address=split.address) as load:
            for n in range(6):
                version = twins.swap()
                # Either may be first; until both are there, answers are of the bundle that both have.
                for part in parts if n % 2 else reversed(parts):
                    assert part.reload_bundle(expected_version=version).switched
                    time.sleep(0.3)
                until("both", partial(serves, front, version))
        assert not load.wrong, f"{len(load.wrong)} of {len(load.seconds)}: {load.wrong[:3]}"
        assert set(load.versions) == set(twins.versions)


@pytest.mark.slow
def test_a_split_shop_says_when_its_parts_have_no_bundle_in_common(twins: Twins, tmp_path: Path) -> None:
    with ExitStack() as closing:
        split = split_of(twins, tmp_path, closing, "--no-watch-bundle")
        with Vitrine(split.address) as front, split.client("retrieval") as retrieval:
            assert not [d for d in ask(front, 1).degraded if d.component == "bundle"]
            version = twins.swap()
            split.parts["ranking"].stop()
            split.parts["ranking"].start()
            until("ranking is back", lambda: ask(front, 1).versions.bundle == version)
            window = ask(front, 1)
            assert window.items
            (told,) = [d for d in window.degraded if d.component == "bundle"]
            assert told.code == common_pb2.DEGRADATION_CODE_STALE
            assert all(v in told.message for v in twins.versions)
            assert retrieval.reload_bundle().switched
            assert not twins.mixed(ask(front, 1))


def test_the_command_line_reloads_and_says_why_a_bundle_is_refused(
    twins: Twins, server: ServerProcess
) -> None:
    command = [sys.executable, "-m", "vitrine", "reload", "--address", server.address]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{server.address}: bundle {twins.versions[0]} as before" in told.stdout
    (twins.folder / "manifest.json").write_text("{}")
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr.startswith("vitrine: ")
    assert "manifest.json" in told.stderr
    assert f"{twins.versions[0]} goes on" in told.stderr
    with Vitrine(server.address) as shop, pytest.raises(grpc.RpcError) as failed:
        shop.bundle.ReloadBundle(bundle_pb2.ReloadBundleRequest(), timeout=30)
    answer: Any = failed.value
    assert answer.code() is grpc.StatusCode.FAILED_PRECONDITION
    status = rpc_status.from_call(answer)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == ("INVALID_BUNDLE", "vitrine.api")
    assert info.metadata == {"served_version": twins.versions[0]}
