"""The shop in memory, which `vitrine batch` and `vitrine evaluate` ask, answers as the running server does."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.support.world import AS_OF, World
from vitrine.app.offline import OfflineShop
from vitrine.app.process import ServerProcess
from vitrine.bundle import load_bundle
from vitrine.client import Vitrine
from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine.domain.request import Context
from vitrine.domain.subject import Subject
from vitrine.recommendation.query import WindowQuery


@pytest.mark.parametrize("with_bundle", [True, False])
def test_same_lists_scores_and_reasons(world: World, tmp_path: Path, with_bundle: bool) -> None:
    bundle = world.bundle if with_bundle else None
    dataset = Dataset.open(world.data)
    offline = OfflineShop.open(dataset, load_config(), load_bundle(bundle) if bundle else None)
    now = datetime.fromisoformat(AS_OF).timestamp()
    items = dataset.items()
    assert items is not None
    some = items["item_id"].to_list()
    asked = [
        (user, scene, context)
        for user in [*world.shoppers(30), "nobody-knows-me"]
        for scene, context in (
            ("home", Context()),
            ("buy_again", Context()),
            ("cart", Context(basket=tuple(some[3:6]))),
            ("item_page", Context(item_ids=(some[7],), locale="zh")),
            ("search", Context(query="shirt 衬衫")),
            ("new_arrivals", Context()),
        )
    ]
    together = offline.answers([WindowQuery(Subject(u), s, 12, context=c) for u, s, c in asked], now)
    store = world.fresh_store(tmp_path / "store")
    with (
        ServerProcess(bundle=bundle, store=store, as_of=AS_OF, args=("--freeze-clock",)) as server,
        Vitrine(server.address) as shop,
    ):
        for (user, scene, context), answer in zip(asked, together, strict=True):
            window = shop.recommend(
                user,
                scene,
                12,
                item_ids=context.item_ids,
                basket=context.basket,
                query=context.query,
                locale=context.locale,
                timeout=10,
            )
            one = offline.recommend(WindowQuery(Subject(user), scene, 12, context=context), now)
            online = [item.item_id for item in window.items]
            assert online == [item.item_id for item in one.items] == answer.item_ids
            scores = [item.score for item in window.items]
            np.testing.assert_allclose(scores, [item.score for item in one.items], atol=1e-5)
            np.testing.assert_allclose(scores, answer.ordered.scores, atol=1e-5)
            assert [item.reason.text for item in window.items] == [item.reason.text for item in one.items]
            assert window.versions.bundle == one.versions.bundle
            assert {d.component for d in window.degraded} == {d.component for d in one.degraded}
    offline.close()
