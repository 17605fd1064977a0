"""The rankers of data without order keep to the contract, too."""

from pathlib import Path

import numpy as np
import pytest

import vitrine_crowd
import vitrine_factors
import vitrine_shoppers
from tests.support.world import World
from vitrine.bundle import Factors, Shoppers, load_bundle, write_bundle
from vitrine.testing import RankerContract


@pytest.fixture(scope="module")
def unordered(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The items of the small shop, with factors and shoppers that mean nothing."""
    items = list(load_bundle(world.bundle).item_ids)
    rng = np.random.default_rng(0)
    n, count, length = len(items), 300, 12
    lists = np.argsort(rng.random((count, n)), axis=1)[:, :length].astype(np.int32)
    path = tmp_path_factory.mktemp("unordered") / "bundle"
    write_bundle(
        path,
        item_ids=items,
        shoppers=Shoppers(np.arange(count + 1) * length, lists.ravel(), n),
        factors=Factors(
            rng.normal(size=(n, 8)).astype(np.float16), np.ones(n, np.float32), np.ones(n, np.float32)
        ),
    )
    return path


@pytest.fixture(scope="class", autouse=True)
def _bundle(request: pytest.FixtureRequest, unordered: Path) -> None:
    request.cls.bundle = unordered


class Unordered(RankerContract):
    def test_it_has_something_to_say(self) -> None:
        """Or all that is tested is NaN."""
        part = self._part()
        answer = self._answer(part, self._batch(part, *self._windows().values()), "usual requests")[""]
        assert np.isfinite(answer).mean() > 0.1
        assert len(np.unique(answer[np.isfinite(answer)])) > 10


class TestNearestShoppers(Unordered):
    plugin = vitrine_shoppers


class TestCrowd(Unordered):
    plugin = vitrine_crowd


class TestLatentFactors(Unordered):
    plugin = vitrine_factors
