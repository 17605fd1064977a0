"""The rankers that come with Vitrine use the same door as any other: each may be switched off, and the rest goes on."""

from collections.abc import Iterator

import pytest

from tests.support.world import World
from vitrine.app.offline import OfflineShop
from vitrine.bundle import load_bundle
from vitrine.config import PluginConfig, load_config
from vitrine.dataset import Dataset
from vitrine.domain.answer import DegradationCode
from vitrine.domain.subject import Subject
from vitrine.recommendation.query import WindowQuery

BUILT_IN = ("cf", "content", "interest", "deep", "lightgbm")


@pytest.fixture(scope="module")
def shop(world: World) -> Iterator[OfflineShop]:
    opened = OfflineShop.open(Dataset.open(world.data), load_config(), load_bundle(world.bundle))
    yield opened
    opened.close()


@pytest.mark.parametrize("name", BUILT_IN)
def test_one_that_is_switched_off_costs_its_column_alone(shop: OfflineShop, world: World, name: str) -> None:
    query = WindowQuery(Subject(world.shoppers(1)[0]), "home", limit=20, include_scores=True)
    whole = shop.recommend(query)
    assert not [part for part in whole.degraded if part.component.startswith("ranker:")]
    off = shop.config.model_copy(update={"plugins": {name: PluginConfig(enabled=False)}})
    window = shop.variant(off).recommend(query)
    (part,) = (part for part in window.degraded if part.component.startswith("ranker:"))
    assert (part.component, part.code) == (f"ranker:{name}", DegradationCode.OFF)
    assert "switched off in the configuration" in part.message
    assert len(window.items) == 20
    told = {ranker for item in window.items for ranker in item.scores}
    assert name not in told
    assert set(BUILT_IN) - {name} <= told
    assert name not in dict(window.versions.plugins)
