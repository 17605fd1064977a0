"""Two bundles of one shop that tell by their answers which of them made these, and the folder where they take turns."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.support.models import deep_model, interest_model, interest_table, tree_model
from tests.support.patience import PATIENCE, RANKERS
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.app.shop import Stores
from vitrine.bundle import ContentModel, ItemItem, write_bundle
from vitrine.config import load_config
from vitrine.content.encoder import HashedEncoder
from vitrine.content.features import hash_terms
from vitrine.content.text import text_hashes
from vitrine.domain.clock import system_clock
from vitrine.domain.items import Item

Window = recommendation_pb2.RecommendResponse

NEIGHBOURS = 30
DIMENSIONS = 32

# All rankers have a say, and the neighbours come first. A window without `cf` would not tell its bundle.
CONFIG = (
    """
[scenes.item_page]
reranker = ""
weights = { "source:co_visitation" = 1, cf = 1, content = 0.01, interest = 0.01, deep = 0.01, lightgbm = 0.01 }
"""
    + PATIENCE
)
COLOURS = ("red", "blue", "green", "grey")


def item_id(number: int) -> str:
    return f"i{number}"


def half_of(item: str, count: int) -> int:
    """Which twin recommends an item: 0 for the lower half of the numbers, 1 for the upper."""
    return int(int(item[1:]) >= count // 2)


@dataclass
class Twins:
    """Two bundles: whatever the item, the neighbours of the first are of the lower half and of the second of the upper.

    Attributes:
        count: Items of the shop.
        folder: The bundle that a server shall serve; the first, at the start.
        versions: Versions of the two.
    """

    count: int
    folder: Path
    versions: tuple[str, str]
    serving: int = 0

    @classmethod
    def make(cls, root: Path, count: int = 400) -> "Twins":
        """Writes both."""
        items = shop_items(count)
        hashes = text_hashes(items)
        words = np.unique(hash_terms([f"w{word}" for word in ("thing", *COLOURS)]))
        versions = []
        for half, name in enumerate(("served", "other")):
            rng = np.random.default_rng(half)
            encoder = HashedEncoder(
                words,
                np.ones(len(words), np.float32),
                rng.normal(size=(len(words), DIMENSIONS)).astype(np.float16),
            )
            neighbours = _neighbours(count, half, rng)
            manifest = write_bundle(
                root / name,
                item_ids=[i.item_id for i in items],
                text_hashes=hashes,
                co_visitation=neighbours,
                linear=neighbours,
                content=ContentModel(encoder.encode(items), encoder),
                models=[interest_model(DIMENSIONS, seed=half), deep_model(seed=half), tree_model(trees=20)],
                interest=interest_table(count, DIMENSIONS, content=DIMENSIONS),
                name=f"twin {half}",
                created=datetime(2026, 11, 1, tzinfo=UTC),
            )
            versions.append(manifest.version)
        (root / "twins.toml").write_text(CONFIG)
        return cls(count, root / "served", (versions[0], versions[1]))

    def swap(self) -> str:
        """Puts the other in the folder, by renames as `write_bundle` does; answers its version."""
        away, other = self.folder.with_name("away"), self.folder.with_name("other")
        self.folder.rename(away)
        other.rename(self.folder)
        away.rename(other)
        self.serving = 1 - self.serving
        return self.versions[self.serving]

    @property
    def config(self) -> Path:
        """The configuration to serve them with."""
        return self.folder.with_name("twins.toml")

    def fill(self, store: Path) -> Path:
        """Makes a store with the items."""
        with Stores.open(store, load_config(self.config), system_clock) as stores:
            stores.items.upsert(shop_items(self.count), None, system_clock())
        return store

    def mixed(self, window: Window) -> str:
        """What is wrong with an answer about an item, made with scores; "" when all of it is of one bundle."""
        if window.versions.bundle not in self.versions:
            return f"made with bundle '{window.versions.bundle}'"
        half = self.versions.index(window.versions.bundle)
        found = {half_of(i.item_id, self.count) for i in window.items if "source:co_visitation" in i.scores}
        ordered = {half_of(i.item_id, self.count) for i in window.items if i.scores.get("cf", 0) > 0}
        said = "; ".join(f"{d.component}: {d.message}" for d in window.degraded if d.component in _PARTS)
        if found != {half} or ordered != {half}:
            return f"says twin {half}, was found by {found} and ordered by {ordered}; {said}"
        return said


_PARTS = {"bundle", "retrieval", "ranking", "profile"} | {f"ranker:{name}" for name in RANKERS}


def shop_items(count: int) -> list[Item]:
    """Items ``i0``, ``i1``, …"""
    return [
        Item(
            item_id=item_id(n),
            title=f"{COLOURS[n % len(COLOURS)]} thing",
            price_micros=1_000_000,
            currency="EUR",
            created=1.0,
        )
        for n in range(count)
    ]


def _neighbours(count: int, half: int, rng: np.random.Generator) -> ItemItem:
    start = half * (count // 2)
    rows: Iterable[np.ndarray] = (
        start + rng.choice(count // 2, NEIGHBOURS, replace=False) for _ in range(count)
    )
    weights = np.tile(np.linspace(1, 0.1, NEIGHBOURS, dtype=np.float32), count)
    indptr = np.arange(count + 1, dtype=np.int64) * NEIGHBOURS
    return ItemItem(indptr, np.concatenate(list(rows)).astype(np.int32), weights)
