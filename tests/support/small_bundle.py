"""A small bundle with every part, trained on nothing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.models import deep_model, interest_model, interest_table, tree_model
from vitrine.bundle import ContentModel, ItemItem, Manifest, Visits, write_bundle
from vitrine.content.encoder import HashedEncoder
from vitrine.content.features import hash_terms
from vitrine.content.text import text_hashes
from vitrine.domain.items import Item

ITEMS = [
    Item(item_id="red", title="red mug"),
    Item(item_id="blue", title="blue mug"),
    Item(item_id="杯", title="红色茶杯"),
    Item(item_id="nothing"),
]


def neighbours() -> ItemItem:
    """Neighbours of `ITEMS`."""
    return ItemItem(
        np.array([0, 2, 3, 5, 5], np.int64),
        np.array([1, 2, 0, 0, 1], np.int32),
        np.array([0.5, 0.25, 0.5, 0.75, 0.125], np.float32),
    )


def visits() -> Visits:
    """Three visits to `ITEMS`."""
    return Visits(np.array([0, 2, 5, 7], np.int64), np.array([0, 1, 2, 0, 1, 1, 2], np.int32), len(ITEMS))


def encoder() -> HashedEncoder:
    """Content vectors of four numbers."""
    vocabulary = np.unique(hash_terms(["wred", "wblue", "wmug", "w杯", "w红"]))
    rng = np.random.default_rng(0)
    return HashedEncoder(vocabulary, np.ones(5, np.float32), rng.normal(size=(5, 4)).astype(np.float16))


def write_small_bundle(path: Path, **changes: Any) -> Manifest:
    """Writes it; ``changes`` are arguments of `write_bundle`."""
    content = encoder()
    parts: dict[str, Any] = {
        "item_ids": [i.item_id for i in ITEMS],
        "text_hashes": text_hashes(ITEMS),
        "co_visitation": neighbours(),
        "linear": neighbours(),
        "follows": neighbours(),
        "visits": visits(),
        "content": ContentModel(content.encode(ITEMS), content),
        "models": [interest_model(), deep_model(), tree_model()],
        "interest": interest_table(len(ITEMS), content=content.dimensions),
        "name": "test",
        "created": datetime(2026, 11, 1, tzinfo=UTC),
        "off": {"validation": "a test"},
        "metrics": {"recall@20_linear": 0.5},
    }
    return write_bundle(path, **{**parts, **changes})
