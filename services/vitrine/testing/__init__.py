"""Tests that every plugin should pass: whether it keeps to `vitrine.plugin`. Three lines make a test class of it.

    import vitrine_cheapest
    from vitrine.testing import RankerContract

    class TestCheapest(RankerContract):
        plugin = vitrine_cheapest

It needs pytest and what a server needs, no data and no server: batches come from a small shop in memory
(`vitrine.testing.shop`), made by the code that serves. `FeatureBlockContract` does the same for feature columns.
"""

from vitrine.testing.blocks import FeatureBlockContract
from vitrine.testing.rankers import RankerContract

__all__ = ["FeatureBlockContract", "RankerContract"]
