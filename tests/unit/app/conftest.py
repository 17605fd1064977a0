"""A shop with a bundle that can be swapped for its twin."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.twins import Twins
from vitrine.app.shop import Shop
from vitrine.config import load_config
from vitrine.domain.clock import system_clock
from vitrine.rpc.metrics import Metrics


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    twins = Twins.make(tmp_path_factory.mktemp("twins"), 200)
    twins.fill(twins.folder.with_name("store"))
    return twins


@pytest.fixture
def twins(made: Twins, tmp_path: Path) -> Twins:
    root = Path(shutil.copytree(made.folder.parent, tmp_path / "twins"))
    return replace(made, folder=root / "served")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def shop(twins: Twins, metrics: Metrics) -> Iterator[Shop]:
    store = twins.folder.with_name("store")
    with ExitStack() as closing:
        yield Shop.open(store, twins.folder, load_config(twins.config), system_clock, closing, metrics)
