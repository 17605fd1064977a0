"""A small simulated shop, made once a test run and shared by its workers."""

import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from vitrine.app.load import load_into_store
from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine_export.simulate import simulate
from vitrine_export.train import Parameters, train

AS_OF = "2026-11-01T00:01:00Z"


@dataclass(frozen=True)
class World:
    """Where it lies.

    Attributes:
        data: The data set.
        bundle: What was trained on it.
        store: Catalogue and profiles; copy it (`fresh_store`) before a server writes to it.
    """

    data: Path
    bundle: Path
    store: Path

    def fresh_store(self, where: Path) -> Path:
        """A copy of the store that a server may change."""
        shutil.copytree(self.store, where)
        return where

    def shoppers(self, count: int) -> list[str]:
        """Customers, those with the most events first."""
        counts = (
            Dataset.open(self.data)
            .events()
            .filter(pl.col("user_id").is_not_null())
            .group_by("user_id")
            .len()
            .sort("len", "user_id", descending=[True, False])
            .head(count)
            .collect()
        )
        return [str(u) for u in counts["user_id"]]


def build_world(root: Path) -> World:
    """Makes it, or waits until another worker has."""
    world = World(root / "data", root / "bundle", root / "store")
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "done").exists():
            simulate(world.data, shoppers=600, items=400, days=60, seed=11)
            # Every model, and little of each.
            small = Parameters(label_windows=1, interest_epochs=2)
            train(Dataset.open(world.data), world.bundle, parameters=small)
            load_into_store(Dataset.open(world.data), world.store, load_config())
            (root / "done").touch()
    return world
