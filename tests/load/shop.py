"""The shop that is served: simulated, trained and loaded once, and kept under `.bench/`."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vitrine.bundle import SCHEMA_VERSION
from vitrine.dataset import Dataset, Manifest

FOLDER = Path(".bench")
# All models, in bounded time: what is measured is how fast they answer, not how well.
TRAINING = [
    *("--kind", "tests/load/shop.toml"),
    *("--label-windows", "1", "--interest-minutes", "3", "--no-validate"),
]


@dataclass(frozen=True)
class Shop:
    """What a server needs.

    Attributes:
        folder: Where it is kept.
    """

    folder: Path

    @property
    def data(self) -> Path:
        """The data set."""
        return self.folder / "data"

    @property
    def bundle(self) -> Path:
        """The trained models."""
        # Another format is another bundle.
        return self.folder / f"bundle-{SCHEMA_VERSION}"

    @property
    def store(self) -> Path:
        """The loaded store; only copies of it are served."""
        return self.folder / "store"

    @property
    def manifest(self) -> Manifest:
        """What the data set says of itself."""
        return Dataset.open(self.data).manifest

    @property
    def as_of(self) -> str:
        """A minute after the last event, ISO 8601."""
        last = self.manifest.last_time
        if last is None:
            raise RuntimeError(f"{self.data} has no times; run again with --fresh")
        return (last + timedelta(minutes=1)).isoformat()


def prepare(
    *, items: int, shoppers: int, days: int, seed: int, fresh: bool, say: Callable[[str], None]
) -> Shop:
    """Makes the shop, or finds the one that an earlier run made with the same numbers.

    Raises:
        RuntimeError: A command failed.
    """
    shop = Shop(FOLDER / f"shop-{items}x{shoppers}-{days}d-s{seed}")
    if fresh:
        shutil.rmtree(shop.folder, ignore_errors=True)
    sizes = {"--shoppers": shoppers, "--items": items, "--days": days, "--seed": seed}
    simulate = ["simulate", *(part for name, value in sizes.items() for part in (name, str(value)))]
    for target, command in (
        (shop.data, [*simulate, "--out"]),
        (shop.bundle, ["train", str(shop.data), *TRAINING, "--out"]),
        (shop.store, ["load", str(shop.data), "--store"]),
    ):
        if target.exists():
            continue
        # Under another name until it is whole: an interrupted run leaves nothing that looks finished.
        partial = target.with_name(f"{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        say(f"vitrine {command[0]} …")
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "vitrine", *command, str(partial)], check=False)
        if done.returncode:
            raise RuntimeError(f"vitrine {command[0]} failed with code {done.returncode}")
        partial.rename(target)
        say(f"vitrine {command[0]} took {time.monotonic() - began:.0f} s")
    return shop
