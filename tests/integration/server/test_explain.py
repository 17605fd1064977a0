"""Why an item is where it is: over gRPC, in one process and in four."""

import json
import math
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.server.test_split import start_split
from tests.support.world import World
from vitrine.api.common.v1 import common_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.app.process import ServerProcess
from vitrine.client import AsyncVitrine, InvalidInput, NotFound, Vitrine, item

Answer = recommendation_pb2.ExplainResponse


@pytest.fixture(scope="module")
def who(world: World) -> str:
    return world.shoppers(40)[-1]


def _adds_up(answer: Answer) -> None:
    told = answer.explanation
    assert told.groups
    shares = math.fsum(group.share for group in told.groups)
    assert told.base + shares == pytest.approx(told.model_score, abs=1e-4)
    assert math.fsum(column.share for column in told.columns) == pytest.approx(shares, abs=1e-4)


@pytest.mark.parametrize("scene", ["home", "item_page", "cart", "search", "new_arrivals", "buy_again"])
def test_an_item_is_explained_as_its_window_has_it(shop: Vitrine, who: str, scene: str) -> None:
    asked = {
        "item_page": {"item_ids": ["p005"]},
        "cart": {"basket": ["p003"]},
        "search": {"query": "cotton 棉"},
    }.get(scene, {})
    window = shop.recommend(who, scene, 10, include_scores=True, timeout=10, **asked)  # type: ignore[arg-type]
    assert window.items
    for rank, shown in enumerate(window.items, 1):
        answer = shop.explain(who, shown.item_id, scene, 10, **asked)  # type: ignore[arg-type]
        told = answer.explanation
        assert (told.rank, told.added, list(told.exclusions)) == (rank, False, [])
        assert told.score == pytest.approx(shown.score, abs=1e-6)
        assert told.reason == shown.reason
        assert told.sources == shown.sources
        assert dict(told.scores) == pytest.approx(dict(shown.scores))
        assert answer.versions == window.versions
        _adds_up(answer)


def test_trees_explain_the_home_page(shop: Vitrine, who: str) -> None:
    shown = shop.recommend(who, "home", 1, timeout=10).items[0]
    told = shop.explain(who, shown.item_id).explanation
    assert told.decided_by == "lightgbm"
    assert told.model_score == pytest.approx(told.scores["lightgbm"], abs=1e-4)
    assert {c.name for c in told.columns} >= {"history.purchases", "item.popularity", "ranker:cf.share"}
    assert all(c.text and c.reading and c.group for c in told.columns)


def test_an_item_that_no_source_found_is_explained_all_the_same(shop: Vitrine, who: str) -> None:
    ids = [f"p{n:03}" for n in range(1, 400)]
    missing = (shop.explain(who, i) for i in ids)
    answer = next(a for a in missing if not a.explanation.sources)
    assert answer.explanation.added
    assert answer.explanation.rank or answer.explanation.exclusions
    _adds_up(answer)


def test_what_left_an_item_out_is_named(shop: Vitrine, who: str) -> None:
    shown = shop.recommend(who, "home", 1, timeout=10).items[0].item_id
    shop.upsert_items([item(shown, in_stock=False)], fields=["availability"])
    told = shop.explain(who, shown).explanation
    assert (told.rank, [e.rule for e in told.exclusions]) == (0, ["availability"])
    shop.upsert_items([item(shown, in_stock=True)], fields=["availability"])
    told = shop.explain(who, shown, filters=common_pb2.Filters(brands=["nobody's"])).explanation
    assert [e.rule for e in told.exclusions] == ["filters.brands"]
    told = shop.explain(who, shown, "item_page", item_ids=[shown]).explanation
    assert [e.rule for e in told.exclusions] == ["rules.exclude_seeds"]


def test_mistakes_are_named(shop: Vitrine, who: str) -> None:
    with pytest.raises(NotFound, match="item_id: the catalogue has no item 'p999999'"):
        shop.explain(who, "p999999")
    with pytest.raises(InvalidInput, match="item_id"):
        shop.explain(who, "")
    with pytest.raises(InvalidInput, match="unknown scene 'hoem'"):
        shop.explain(who, "p001", "hoem")
    with pytest.raises(InvalidInput, match="limit"):
        shop.explain(who, "p001", limit=500)


def test_nobody_in_particular_is_explained_too(shop: Vitrine) -> None:
    shown = shop.recommend(None, "home", 1, timeout=10).items[0]
    told = shop.explain(None, shown.item_id)
    assert told.explanation.rank == 1
    assert told.explanation.reason.code != common_pb2.REASON_CODE_TASTE
    _adds_up(told)


async def test_the_aio_client_asks_the_same(server: ServerProcess, shop: Vitrine, who: str) -> None:
    async with AsyncVitrine(server.address) as client:
        assert (await client.explain(who, "p005")).explanation == shop.explain(who, "p005").explanation


def test_the_command_line_explains(server: ServerProcess, who: str) -> None:
    command = [sys.executable, "-m", "vitrine", "explain", "--user", who, "--item", "p005"]
    command += ["--address", server.address]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "p005" in shown
    assert "history.purchases" in shown or "columns with smaller shares" in shown
    read = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, check=True).stdout)
    assert read["explanation"]["item_id"] == "p005"
    gone = subprocess.run(
        [*command[:-3], "p999999", *command[-2:]], capture_output=True, text=True, check=False
    )
    assert gone.returncode != 0
    assert "the catalogue has no item 'p999999'" in gone.stderr


def test_four_processes_explain_as_one_does(world: World, shop: Vitrine, who: str, tmp_path: Path) -> None:
    with ExitStack() as closing:
        split = start_split(world, world.fresh_store(tmp_path / "split"), closing)
        front = closing.enter_context(Vitrine(split.address))
        window = shop.recommend(who, "home", 3, timeout=10)
        for asked in (*(i.item_id for i in window.items), "p399"):
            one, four = shop.explain(who, asked, timeout=10), front.explain(who, asked, timeout=10)
            assert four.explanation.rank == one.explanation.rank
            assert four.explanation.reason == one.explanation.reason
            assert [g.name for g in four.explanation.groups][:3] == [g.name for g in one.explanation.groups][
                :3
            ]
            _adds_up(four)
        with pytest.raises(NotFound, match="item_id"):
            front.explain(who, "p999999", timeout=10)

        shown = window.items[0].item_id
        front.recommend(who, "home", 3, timeout=10)
        split.parts["retrieval"].kill()
        answer = front.explain(who, shown, timeout=3)
        assert "retrieval" in {d.component for d in answer.degraded}
        assert answer.explanation.rank
        _adds_up(answer)
        split.parts["ranking"].kill()
        answer = front.explain(who, shown, timeout=3)
        assert {"retrieval", "ranking"} <= {d.component for d in answer.degraded}
        assert answer.explanation.candidates
        assert not answer.explanation.groups
