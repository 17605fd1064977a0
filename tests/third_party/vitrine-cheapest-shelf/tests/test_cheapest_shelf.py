from types import MappingProxyType

import numpy as np
import vitrine_cheapest_shelf

from vitrine.testing import FeatureBlockContract, RankerContract
from vitrine.testing.shop import small_shop


class TestRanker(RankerContract):
    plugin = vitrine_cheapest_shelf
    settings = MappingProxyType({"sharpness": 2.0})


class TestColumns(FeatureBlockContract):
    plugin = vitrine_cheapest_shelf


def test_each_shelf_has_a_cheapest() -> None:
    shop = small_shop()
    batch = shop.batch([shop.window("buyer", 200), shop.window("browser", 100)])
    scores = vitrine_cheapest_shelf.cheapness(batch)
    price, category = batch.items.price_micros, batch.items.category
    for q, (start, end) in enumerate(zip(batch.offsets[:-1], batch.offsets[1:], strict=True)):
        own = np.arange(start, end)
        for shelf in np.unique(category[own][category[own] >= 0]):
            there = own[(category[own] == shelf) & (price[own] > 0)]
            if len(there):
                expected = price[there].min() / price[there]
                np.testing.assert_allclose(scores[there], expected, rtol=1e-6, err_msg=f"request {q}")
    assert np.isnan(scores[(price == 0) | (category < 0)]).all()
