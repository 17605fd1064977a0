"""Targets and items drawn at random, scored by the code that serves, over the trained world."""

from collections.abc import Iterator

import numpy as np
import pytest
import scipy.sparse as sp

from tests.support.world import World
from vitrine.app.offline import OfflineShop
from vitrine.bundle import load_bundle
from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine.errors import NotFound
from vitrine_export.evaluate.classification import Pairs, best_threshold, classify, pairs
from vitrine_export.evaluate.classification_serving import paired_scores
from vitrine_export.evaluate.lists import ItemCodes, ItemSets
from vitrine_export.evaluate.serving import changed, window_queries
from vitrine_export.evaluate.temporal import Queries, TemporalSplit, split_by_time

DAY = 86_400.0


@pytest.fixture(scope="module")
def data(world: World) -> Dataset:
    return Dataset.open(world.data)


@pytest.fixture(scope="module")
def split(data: Dataset) -> TemporalSplit:
    last = data.manifest.last_time
    assert last is not None
    return split_by_time(data, last.timestamp() - 14 * DAY, last.timestamp() + 1, 0).sample(60, 0)


@pytest.fixture(scope="module")
def shop(world: World, data: Dataset, split: TemporalSplit) -> Iterator[OfflineShop]:
    made = OfflineShop.open(data, load_config(), load_bundle(world.bundle), until=split.start)
    yield made
    made.close()


def test_what_was_taken_stands_above_what_was_drawn(shop: OfflineShop, split: TemporalSplit) -> None:
    drawn = pairs(split.known, split.codes, 0, masked=False)
    positive, negative = paired_scores(shop, split.known, split.codes, drawn, "home")
    assert positive.shape == negative.shape == (len(drawn),)
    assert (np.concatenate([positive, negative]) >= 0).all()
    assert (np.concatenate([positive, negative]) <= 1).all()
    found = classify(drawn, positive, negative, best_threshold(positive, negative))
    assert found.auc.low > 0.6
    assert found.accuracy.mean > 0.6
    again = paired_scores(shop, split.known, split.codes, drawn, "home")
    np.testing.assert_array_equal(positive, again[0])


def test_places_go_by_the_order_of_the_window(shop: OfflineShop, split: TemporalSplit) -> None:
    # One order, by the weights and without diversity: what stands higher in the window has the higher place.
    plain = shop.variant(changed(shop.config, "home", diversity=0.0, reranker=""))
    some = split.known.take(np.arange(5))
    for query, asked in enumerate(window_queries(some, split.codes, "home", 20)):
        (answer,) = plain.answers([asked])
        shown = split.codes.codes(answer.item_ids)
        # The items drawn change the lists a little, so neighbours may change places.
        asked_for = Pairs(np.full(15, query), shown[:-5], shown[5:])
        higher, lower = paired_scores(plain, some, split.codes, asked_for, "home")
        assert (higher >= lower).mean() > 0.9
        assert higher.min() > 0.5


def test_what_the_shop_does_not_have_is_last(shop: OfflineShop, split: TemporalSplit) -> None:
    codes = ItemCodes([*split.codes.ids, "no such item"], 0)
    nothing = ItemSets(np.zeros(2, np.int64), np.empty(0, np.int32))
    one = Queries(split.known.users[:1], nothing, nothing, sp.csr_array((1, len(codes))))
    (answer,) = shop.answers(window_queries(one, codes, "home", 1))
    best, gone = codes.codes([answer.item_ids[0], "no such item"])
    asked = Pairs(np.array([0]), np.array([best]), np.array([gone]))
    positive, negative = paired_scores(shop, one, codes, asked, "home")
    assert positive[0] > 0.9
    assert negative[0] == 0


def test_included_items_are_ranked_found_or_not(shop: OfflineShop, split: TemporalSplit) -> None:
    some = split.known.take(np.arange(2))
    asked = window_queries(some, split.codes, "home", 1000)
    before = shop.answers(asked)
    catalog = shop.memory.store.catalog
    missing = [
        next(i for i in catalog.ids if i not in answer.retrieved.candidates.item_ids) for answer in before
    ]
    after = shop.answers(asked, reasons=False, include=[[missing[0]], []])
    assert missing[0] in after[0].retrieved.candidates.item_ids
    assert len(after[0].retrieved.candidates) == len(before[0].retrieved.candidates) + 1
    assert len(after[1].retrieved.candidates) == len(before[1].retrieved.candidates)
    with pytest.raises(NotFound, match="no such item"):
        shop.answers(asked[:1], include=[["no such item"]])
