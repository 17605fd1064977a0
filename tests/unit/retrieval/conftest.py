"""A small shop for the tests of sources."""

import pytest

from tests.unit.retrieval.small_shop import Shop


@pytest.fixture(name="shop")
def shop_fixture() -> Shop:
    return Shop()
