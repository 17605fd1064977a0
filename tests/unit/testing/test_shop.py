"""The shop that contracts are tested in: always the same, and with everything that real ones have."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.small_bundle import ITEMS as BUNDLED
from tests.support.small_bundle import write_small_bundle
from vitrine.testing.shop import ITEMS, SmallShop, small_shop
from vitrine.testing.watch import digest, parts_of, watched


def test_it_is_always_the_same() -> None:
    one, other = SmallShop(), SmallShop()
    for shopper in one.shoppers:
        batches = [shop.batch([shop.window(shopper, 40, about="basket")], ["cf"]) for shop in (one, other)]
        assert parts_of(batches[0]) == parts_of(batches[1])


def test_it_has_what_real_shops_have() -> None:
    shop = small_shop()
    assert len(shop.catalog) == ITEMS
    assert any("杯" in item_id for item_id in shop.catalog.ids)
    batch = shop.batch([shop.window("regular", 300), shop.window("stranger", 20, unknown=5)], ["cf"])
    items = batch.items
    for column, missing in (
        (items.price_micros, 0),
        (items.created, 0),
        (items.category, -1),
        (items.brand, -1),
    ):
        assert 0 < (column == missing).mean() < 0.2
    assert (items.rows == -1).sum() == 5
    assert np.isnan(items.trend).any()
    assert not np.isnan(items.popularity).any()
    # Some of the candidates are the shopper's own, and sources found the rest.
    assert set(items.ids[:300]) & set(batch.history.ids)
    assert 0.1 < np.isnan(batch.source_scores).mean() < 0.9
    assert 0 < np.isnan(batch.scores["cf"]).mean() < 0.5
    assert batch.history.purchased.any()
    segments = {profile.segment(batch.request_time).name for profile in shop.shoppers.values()}
    assert segments == {"NEW", "BROWSER", "LOYAL", "LAPSED"}


@pytest.mark.parametrize("count", [0, 1, 300, 3_000])
def test_windows_have_the_length_that_was_asked_for(count: int) -> None:
    shop = small_shop()
    for shopper in shop.shoppers:
        ids = shop.window(shopper, count).candidates.item_ids
        assert len(set(ids)) == len(ids) == count


def test_twins_differ_in_their_identifiers_alone() -> None:
    batch = small_shop().twins(["cf"], pairs=20)
    assert len(set(batch.items.ids)) == 40
    for column in (batch.items.rows, batch.items.price_micros, batch.source_scores, batch.scores["cf"]):
        np.testing.assert_array_equal(column[:20], column[20:])
    assert not set(batch.items.ids) & set(batch.history.ids)


def test_half_of_it_is_the_bundles(tmp_path: Path) -> None:
    write_small_bundle(tmp_path / "bundle")
    shop = SmallShop(tmp_path / "bundle")
    assert shop.catalog.ids[:8:2] == [item.item_id for item in BUNDLED]
    assert shop.bundle is not None
    assert (shop.bundle.bundle_rows[:8] >= 0).tolist() == [True, False] * 4


def test_a_change_anywhere_is_seen() -> None:
    shop = small_shop()
    batch, features = watched(shop.batch([shop.window("buyer", 30)]), writable=True)
    before = parts_of(batch)
    features.column("item.price")[0] = 7
    batch.profiles[0].items.views[0] += 1
    batch.items.trend[0] += 1
    after = parts_of(batch)
    assert {name for name in before if after[name] != before[name]} == {"profiles", "items.trend"}
    assert features.changed() == ["feature column 'item.price'"]
    assert digest([1, [2]]) != digest([[1], 2])


def test_it_needs_nothing_that_trains_or_runs_models() -> None:
    """A plugin's author has what a server has, and pytest."""
    code = "import sys, vitrine.testing; print({'torch', 'onnxruntime', 'lightgbm', 'vitrine_export'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"
