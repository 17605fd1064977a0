"""A small bundle with every part."""

import shutil
from pathlib import Path

import pytest

from tests.support.small_bundle import write_small_bundle


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    path = tmp_path_factory.mktemp("small") / "bundle"
    write_small_bundle(path)
    return path


@pytest.fixture
def bundle_path(small_bundle: Path, tmp_path: Path) -> Path:
    """One that a test may change."""
    return Path(shutil.copytree(small_bundle, tmp_path / "bundle"))
