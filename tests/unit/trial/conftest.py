"""The toy shop of the evaluation's tests with titles in two languages, and plugins of all kinds to try on it."""

from pathlib import Path

import polars as pl
import pytest

from tests.support.plugin_dist import write_plugin
from tests.unit.evaluate.conftest import ITEMS, events, items
from vitrine.config import Config, load_config
from vitrine.dataset import Dataset

RANKER = """
import numpy as np
from vitrine.plugin import hookimpl

VITRINE_CONTRACT = 1

class Ranker:
    name, version, reason, budget_ms = "{name}", "1.0", None, {budget}
    {more}

    def score(self, batch):
        {body}

@hookimpl
def vitrine_make_ranker(load):
    return Ranker()
"""
GOOD = "return np.asarray(batch.items.popularity, np.float32)"


def ranker(name: str, body: str = GOOD, *, more: str = "", budget: float = 50.0) -> str:
    return RANKER.format(name=name, body=body, more=more, budget=budget)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose plugins are found as if they were installed."""
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def install(folder: Path, name: str, source: str | None = None) -> str:
    write_plugin(folder, name, source or ranker(name))
    return name


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    titles = [
        f"[bold] 蓝色陶瓷马克杯 {n}" if n % 2 else f"blue ceramic mug no. {n} & more" for n in range(ITEMS)
    ]
    table = items().with_columns(title=pl.Series(titles))
    return Dataset.write(tmp_path_factory.mktemp("data"), events(), table, name="toy", source="test")


@pytest.fixture
def config() -> Config:
    return load_config()
