"""What a request asks for: sources by turns, scenes, filters, items that come too."""

import pytest

from tests.unit.retrieval.small_shop import ITEMS, NOW, Shop, history
from vitrine.config import Config, RulesConfig, SceneConfig, load_config
from vitrine.domain.items import Availability, Item
from vitrine.domain.request import Context
from vitrine.errors import ConfigError, InvalidInput, NotFound
from vitrine.retrieval.query import RetrievalQuery


def test_sources_interleave_fairly_and_the_best_stay(shop: Shop) -> None:
    shop.buy(i8=3, i6=2, i2=1)
    query = RetrievalQuery(NOW, sources={"co_visitation": 5, "popular": 5}, context=Context(item_ids=("i0",)))
    ids = shop.retriever.retrieve(query).candidates.item_ids
    assert set(ids[:2]) == {"i1", "i8"}
    assert ids[2:] == ["i2", "i6"], "i2 is found by both"
    cut = RetrievalQuery(NOW, sources=query.sources, context=query.context, limit=3)
    assert shop.retriever.retrieve(cut).candidates.item_ids == ids[:3]


def test_a_scene_that_leaves_out_what_a_shopper_knows_does_not_look_for_it() -> None:
    scenes = {
        name: SceneConfig(
            sources={"co_visitation": 5}, weights={"cf": 1.0}, rules=RulesConfig(exclude_seen=seen)
        )
        for name, seen in (("all", False), ("new_to_me", True))
    }
    config = load_config()
    shop = Shop(config=config.model_copy(update={"scenes": {**config.scenes, **scenes}}))
    profile = history("i0", "i1")
    found = {scene: set(shop.ask_scene(scene, profile)) for scene in scenes}
    assert found == {"all": {"i1", "i2", "i3"}, "new_to_me": {"i2", "i3"}}


def test_out_of_stock_is_absent_right_after_the_upsert(shop: Shop) -> None:
    shop.buy(i3=3)
    assert "i3" in shop.ask("popular").candidates.item_ids
    shop.store.upsert(
        [Item(item_id="i3", availability=Availability.OUT_OF_STOCK)], frozenset({"availability"}), NOW
    )
    assert "i3" not in shop.ask("popular", 50).candidates.item_ids
    shop.store.upsert(
        [Item(item_id="i3", availability=Availability.IN_STOCK)], frozenset({"availability"}), NOW
    )
    assert "i3" in shop.ask("popular").candidates.item_ids


def test_the_order_of_arrival_does_not_matter() -> None:
    answers = []
    for order in (ITEMS, ITEMS[::-1], ITEMS[3:] + ITEMS[:3]):
        shop = Shop(order, seed=5)
        shop.buy(i3=1, i4=1, i5=1, i6=1)
        profile = history("i0", "i1", "i5", purchases=[1, 1, 0])
        answer = shop.retriever.retrieve(RetrievalQuery(NOW, scene="home", profile=profile, limit=7))
        answers.append(
            (answer.candidates.item_ids, answer.candidates.masks.tolist(), answer.candidates.scores.tolist())
        )
    assert str(answers[0]) == str(answers[1]) == str(answers[2])


def test_unknown_scenes_and_sources_are_named(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match=r"scene: unknown scene 'x'; known: home, item_page"):
        shop.retriever.retrieve(RetrievalQuery(NOW, scene="x"))
    with pytest.raises(InvalidInput, match=r"sources\[1\]\.name: .*did you mean 'popular'"):
        shop.retriever.retrieve(RetrievalQuery(NOW, scene="home", sources={"search": 1, "populr": 1}))
    raw = shop.config.model_dump()
    raw["scenes"]["home"]["sources"]["trendy"] = 5
    with pytest.raises(ConfigError, match=r"scenes\.home\.sources: unknown source 'trendy'"):
        Shop(config=Config.model_validate(raw)).retriever  # noqa: B018


def test_items_that_are_asked_for_come_last_found_or_not_allowed_or_not(shop: Shop) -> None:
    shop.buy(i1=3, i2=2, i3=1)
    plain = shop.ask("popular", 2).candidates
    more = shop.ask("popular", 2, include=("i9", "i1")).candidates
    assert list(more.item_ids) == [*plain.item_ids, "i9"]
    assert more.masks.tolist() == [1, 1, 0]
    # Found, but beyond the limit: its score is told.
    cut = shop.retriever.retrieve(
        RetrievalQuery(NOW, sources={"popular": 5}, limit=2, include=("i3", "i8"))
    ).candidates
    assert list(cut.item_ids)[:2] == list(plain.item_ids)
    assert set(cut.item_ids[2:]) == {"i3", "i8"}
    place = list(cut.item_ids).index("i3")
    assert cut.masks[place] == 1
    assert cut.scores[place, 0] == pytest.approx(1 / 3)
    assert cut.popularity[place] == pytest.approx(1 / 3)
    assert shop.ask("popular", 2, include=("i1",)).candidates.item_ids == plain.item_ids


def test_an_item_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(NotFound, match=r"include_item_ids\[1\]: the catalogue has no item 'i99'"):
        Shop().ask("popular", include=("i1", "i99"))
