"""A small simulated shop, and searches that take no time."""

from pathlib import Path

import pytest

from vitrine.dataset import Dataset
from vitrine_export.simulate import simulate


@pytest.fixture(scope="package")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path: Path = tmp_path_factory.mktemp("shop")
    simulate(path, shoppers=1200, items=150, days=60, seed=3)
    return Dataset.open(path)
