"""All services in one real process, over gRPC."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.world import AS_OF, World
from vitrine.api.common.v1 import common_pb2
from vitrine.app.process import ServerProcess
from vitrine.client import Anonymous, AsyncVitrine, Vitrine, event, item
from vitrine.dataset import Dataset

SCENES = ("home", "item_page", "cart", "search", "new_arrivals", "buy_again")


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = world.fresh_store(tmp_path_factory.mktemp("one") / "store")
    with ServerProcess(bundle=world.bundle, store=store, as_of=AS_OF) as running:
        yield running


@pytest.fixture(scope="module")
def shopper(world: World) -> str:
    return world.shoppers(40)[-1]


def _catalog(world: World) -> list[str]:
    items = Dataset.open(world.data).items()
    assert items is not None
    return [str(i) for i in items.filter(items["availability"] == "in_stock")["item_id"]]


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_fills_a_window_with_reasons(
    shop: Vitrine, world: World, shopper: str, scene: str
) -> None:
    some = _catalog(world)
    window = shop.recommend(
        shopper,
        scene,
        10,
        item_ids=some[:1] if scene == "item_page" else (),
        basket=some[1:3] if scene == "cart" else (),
        query="shirt 衬衫" if scene == "search" else "",
        include_scores=True,
        timeout=10,
    )
    ids = [i.item_id for i in window.items]
    assert len(ids) == len(set(ids)) == 10 or scene in {"search", "buy_again"}
    assert ids
    assert all(i.reason.text and i.reason.code for i in window.items)
    assert all(i.scores for i in window.items)
    scores = [i.score for i in window.items]
    assert scores == sorted(scores, reverse=True)
    assert window.versions.bundle
    assert {p.name for p in window.versions.plugins} == {"cf", "content", "deep", "interest", "lightgbm"}
    assert not [d for d in window.degraded if d.component.startswith("ranker")]


def test_unknown_shopper_gets_what_is_popular(shop: Vitrine) -> None:
    known_to_nobody = shop.recommend(Anonymous("cookie-never-seen"), "home", 10, timeout=10)
    nobody = shop.recommend(None, "home", 10, timeout=10)
    assert [i.item_id for i in known_to_nobody.items] == [i.item_id for i in nobody.items]
    assert len(nobody.items) == 10
    assert nobody.items[0].reason.code in {common_pb2.REASON_CODE_POPULAR, common_pb2.REASON_CODE_TRENDING}


def test_reasons_are_written_in_the_locale(shop: Vitrine, shopper: str) -> None:
    chinese = shop.recommend(shopper, "home", 5, locale="zh-CN", timeout=10)
    english = shop.recommend(shopper, "home", 5, locale="en", timeout=10)
    assert [i.item_id for i in chinese.items] == [i.item_id for i in english.items]
    assert all(any("一" <= c <= "鿿" for c in i.reason.text) for i in chinese.items)


def test_events_move_the_next_answer(shop: Vitrine, world: World) -> None:
    who = world.shoppers(60)[-1]
    before = shop.recommend(who, "home", 20, timeout=10)
    hidden, bought = before.items[0].item_id, before.items[1].item_id
    answer = shop.record_events([event("hide", who, hidden), event("purchase", who, bought)])
    after = shop.recommend(who, "home", 20, min_watermark=answer.watermark, timeout=10)
    ids = [i.item_id for i in after.items]
    assert hidden not in ids
    assert ids != [i.item_id for i in before.items]
    again = shop.recommend(who, "buy_again", 20, timeout=10)
    found = next(i for i in again.items if i.item_id == bought)
    assert found.reason.code == common_pb2.REASON_CODE_BOUGHT_AGAIN
    profile = shop.get_profile(who)
    assert bought in profile.items.item_ids


def test_sending_twice_changes_nothing(shop: Vitrine) -> None:
    events = [event("view", "repeater", "anything", event_id=f"twice-{n}") for n in range(3)]
    first, second = shop.record_events(events), shop.record_events(events)
    assert [v.status for v in first.verdicts] == [1, 1, 1]
    assert [v.status for v in second.verdicts] == [2, 2, 2]
    assert shop.get_profile("repeater").event_count == 3


def test_out_of_stock_is_gone_at_once_and_new_items_arrive(shop: Vitrine, shopper: str) -> None:
    shown = shop.recommend(shopper, "home", 10, timeout=10).items[0].item_id
    shop.upsert_items([item(shown, in_stock=False)], fields=["availability"])
    assert shown not in [i.item_id for i in shop.recommend(shopper, "home", 200, timeout=10).items]
    shop.upsert_items([item(shown, in_stock=True)], fields=["availability"])
    assert shown in [i.item_id for i in shop.recommend(shopper, "home", 10, timeout=10).items]
    shop.upsert_items([item("brand-new", "Teapot of the finest 紫砂 clay", price=30, currency="EUR")])
    for query in ("teapot", "紫砂"):
        assert "brand-new" in [
            i.item_id for i in shop.recommend(None, "search", query=query, timeout=10).items
        ]


def test_erased_shoppers_are_unknown(shop: Vitrine) -> None:
    shop.record_events([event("view", "forget-me", "anything")])
    assert shop.delete_profile("forget-me") == 1
    assert shop.get_profile("forget-me").event_count == 0


def test_filters_hold(shop: Vitrine, world: World, shopper: str) -> None:
    items = Dataset.open(world.data).items()
    assert items is not None
    brand = str(items["brand"].drop_nulls().mode().sort()[0])
    window = shop.recommend(shopper, "home", 50, filters=common_pb2.Filters(brands=[brand]), timeout=10)
    assert window.items
    assert {i.brand for i in shop.get_items([i.item_id for i in window.items])} == {brand}


def test_health_reflection_and_metrics(server: ServerProcess) -> None:
    with grpc.insecure_channel(server.address) as channel:
        names = [
            f"vitrine.api.{n.lower()}.v1.{n}Service"
            for n in ("Profile", "Retrieval", "Ranking", "Recommendation")
        ]
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", *names):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        (listed,) = reflection.ServerReflectionInfo(iter([request]), timeout=5)
        assert set(names) <= {s.name for s in listed.list_services_response.service}
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=5) as page:
        text = page.read().decode()
    assert (
        'vitrine_rpc_total{code="OK",method="/vitrine.api.recommendation.v1.RecommendationService/Recommend"}'
        in text
    )
    assert 'vitrine_service_seconds_count{service="ranking"}' in text


async def test_the_aio_client_says_the_same(server: ServerProcess, shop: Vitrine, shopper: str) -> None:
    async with AsyncVitrine(server.address) as client:
        window = await client.recommend(shopper, "home", 7, timeout=10)
    assert [i.item_id for i in window.items] == [
        i.item_id for i in shop.recommend(shopper, "home", 7, timeout=10).items
    ]


def test_ends_gracefully(world: World, tmp_path: Path) -> None:
    server = ServerProcess(
        bundle=world.bundle, store=world.fresh_store(tmp_path / "store"), as_of=AS_OF
    ).start()
    with Vitrine(server.address) as client:
        client.recommend(None, "home", 1, timeout=10)
    assert server.stop() == 0
