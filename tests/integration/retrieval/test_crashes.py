"""Items that were acknowledged survive kill -9 and a power cut, whole and searchable."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.integration.retrieval.upserter import BATCH, make_items
from tests.support.lossyfs import ROOT, LossyFilesystem
from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore

UPSERTER = Path(__file__).with_name("upserter.py")


def start(store: Path, first: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(UPSERTER), str(store), str(first)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def acknowledged(process: "subprocess.Popen[str]", lines: int | None = None) -> int:
    """The last number in that many lines, or in all that a dead process left; −1 when there is none."""
    assert process.stdout is not None
    read = process.stdout.readlines() if lines is None else [process.stdout.readline() for _ in range(lines)]
    return max((int(line) for line in read if line.endswith("\n")), default=-1)


def check(folder: Path, promised: int) -> int:
    """All that was promised is there, and nothing by halves; answers where to go on."""
    catalog = Catalog()
    store = CatalogStore.open(folder, catalog)
    try:
        stored = (len(catalog) - 1) // BATCH
        assert stored > promised
        assert len(catalog) == stored * BATCH + 1
        assert store.revision == stored * (BATCH + 1)
        for number in range(stored):
            dated = [msgspec.structs.replace(item, created=1.0) for item in make_items(number)]
            assert [catalog.get(item.item_id) for item in dated] == dated
            assert len(store.text.search(f"word{number}", catalog.sellable).rows) == BATCH
        assert catalog.titles[catalog.rows(["always"])[0]] == f"now{stored - 1}"
        assert len(store.text.search(f"now{stored - 2}", catalog.sellable).rows) == 0
        assert store._database.writer.pragma("integrity_check") == "ok"
        seen, revision, caught_up = 0, 0, False
        while not caught_up:
            items, revision, caught_up = store.changed_since(revision, 1000)
            seen += len(items)
        assert seen == len(catalog)
        return stored
    finally:
        store.close()


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    first = 0
    for run in range(2):
        with start(tmp_path, first) as process:
            promised = acknowledged(process, 20 + 13 * run)
            process.kill()
            promised = max(promised, acknowledged(process))
        first = check(tmp_path, promised)


@pytest.mark.fuse
def test_a_power_cut_loses_nothing_that_was_acknowledged(lossyfs: LossyFilesystem) -> None:
    store = lossyfs.mountpoint / "new" / "store"
    first = 0
    for boot in range(2):
        with start(store, first) as process:
            promised = acknowledged(process, 20 + 17 * boot)
            lossyfs.cut_power()
            process.kill()
            promised = max(promised, acknowledged(process))
        lossyfs.power_on()
        first = check(store, promised)
