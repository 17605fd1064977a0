"""A small bundle with every part."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle import ContentModel, ItemItem, write_bundle
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
    return ItemItem(
        np.array([0, 2, 3, 5, 5], np.int64),
        np.array([1, 2, 0, 0, 1], np.int32),
        np.array([0.5, 0.25, 0.5, 0.75, 0.125], np.float32),
    )


def encoder() -> HashedEncoder:
    vocabulary = np.unique(hash_terms(["wred", "wblue", "wmug", "w杯", "w红"]))
    rng = np.random.default_rng(0)
    return HashedEncoder(vocabulary, np.ones(5, np.float32), rng.normal(size=(5, 4)).astype(np.float16))


@pytest.fixture
def bundle_path(tmp_path: Path) -> Path:
    path = tmp_path / "bundle"
    content = encoder()
    write_bundle(
        path,
        item_ids=[i.item_id for i in ITEMS],
        text_hashes=text_hashes(ITEMS),
        co_visitation=neighbours(),
        linear=neighbours(),
        content=ContentModel(content.encode(ITEMS), content),
        name="test",
        created=datetime(2026, 11, 1, tzinfo=UTC),
        off={"validation": "a test"},
        metrics={"recall@20_linear": 0.5},
    )
    return path
