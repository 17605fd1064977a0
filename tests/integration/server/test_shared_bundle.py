"""Workers share the memory of one bundle, which nothing that becomes of its files can change."""

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.integration.server.test_workers import workers
from tests.support.answers import same_window
from tests.support.until import until
from tests.support.world import AS_OF, World
from vitrine.app.process import ServerProcess
from vitrine.client import Vitrine

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc, and only Linux can share a bundle"
)

_SECONDS = 30.0
_MAPPING = re.compile(
    r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+) +/memfd:vitrine-bundle.*\n((?:\w+: .*\n)+)", re.MULTILINE
)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """A copy of the bundle."""
    return Path(shutil.copytree(world.bundle, tmp_path / "bundle"))


@pytest.fixture
def server(world: World, folder: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    args = ("--workers", "2", "--freeze-clock", "--no-watch-bundle")
    store = world.fresh_store(tmp_path / "store")
    with ServerProcess(bundle=folder, store=store, as_of=AS_OF, args=args, log=tmp_path / "log") as running:
        yield running


def mapped(process: psutil.Process) -> tuple[str, int, int]:
    """Of the bundle in a process: its file, and kB that it has looked at, and that it has for itself."""
    ((inode, fields),) = _MAPPING.findall(Path(f"/proc/{process.pid}/smaps").read_text())
    sizes = {name: int(size) for name, size in re.findall(r"(\w+): +(\d+) kB", fields)}
    return inode, sizes["Rss"], sizes["Anonymous"]


def window(client: Vitrine) -> Any:
    return client.recommend("u1", "home", 20, timeout=10)


def test_workers_map_the_same_pages_and_copy_none(server: ServerProcess, folder: Path) -> None:
    with Vitrine(server.address) as shop:
        for _ in range(10):
            window(shop)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) >> 10
    (one, read, own), (other, _, of_other) = (mapped(process) for process in workers(server))
    assert one == other, "both map one file"
    assert own == of_other == 0
    # All of it was looked at when it was checked.
    assert read > size / 2


def test_a_bundle_that_is_cut_off_and_then_goes_is_served_on_by_whoever_starts(
    server: ServerProcess, folder: Path
) -> None:
    with Vitrine(server.address) as shop:
        before = window(shop)
        for file in folder.rglob("*.npy"):
            os.truncate(file, 100)
        for _ in range(10):
            assert same_window(window(shop), before)
        shutil.rmtree(folder)
        before_it_went = workers(server)
        gone = before_it_went[0]
        gone.send_signal(signal.SIGKILL)
        until("another worker", lambda: len({gone.pid, *(p.pid for p in workers(server))}) == 3, _SECONDS)
        (new,) = (process for process in workers(server) if process not in before_it_went)
        until("its bundle", lambda: _MAPPING.search(Path(f"/proc/{new.pid}/smaps").read_text()), _SECONDS)
        for _ in range(20):
            assert same_window(window(shop), before)
        assert len({mapped(process)[0] for process in workers(server)}) == 1
