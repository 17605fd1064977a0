"""Places for newcomers as the engine gives them: within the rules, told by Explain, off where nobody tells what is popular."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from tests.support.shop import items
from tests.unit.ranking.test_engine_trace import _down, _plugin, _up
from vitrine.catalog import Catalog
from vitrine.config import SceneConfig, load_config
from vitrine.domain.candidates import Candidates
from vitrine.domain.items import Availability, Item
from vitrine.domain.profile import DAY, ItemHistory, Profile
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery
from vitrine.rpc.metrics import Metrics

NOW, SIZE = 1e9, 30
NEWCOMERS = ("i25", "i27")
Change = Callable[[Item], Item]


def _engine(
    rules: dict[str, Any], change: Change = lambda item: item, *, reranker: str = ""
) -> RankingEngine:
    there = items(SIZE)
    for name in NEWCOMERS:
        row = int(name[1:])
        there[row] = change(msgspec.structs.replace(there[row], created=NOW - DAY))
    catalog = Catalog(0)
    catalog.apply(there, 1)
    scene = SceneConfig.model_validate(
        {"sources": {"popular": 10}, "weights": {"up": 1.0}, "reranker": reranker, "rules": rules}
    )
    config = load_config().model_copy(update={"scenes": {"home": scene}})
    return RankingEngine(catalog, None, config, [_plugin("up", _up), _plugin("down", _down)], Metrics())


def _query(profile: Profile | None = None, *, told: bool = True, limit: int = 10) -> RankingQuery:
    popularity = np.full(SIZE, 0.5, np.float32)
    popularity[[int(name[1:]) for name in NEWCOMERS]] = 0
    candidates = Candidates(
        [f"i{row}" for row in range(SIZE)],
        ("popular",),
        np.ones(SIZE, np.uint32),
        np.linspace(1, 0.5, SIZE, dtype=np.float32)[:, None],
        popularity if told else np.empty(0, np.float32),
        np.full(SIZE if told else 0, np.nan, np.float32),
    )
    shopper = ShopperQuery(profile or Profile(), "home", limit=limit)
    return RankingQuery(NOW, (shopper,), candidates, np.array([0, SIZE]))


def _window(engine: RankingEngine, query: RankingQuery) -> list[str]:
    (ordered,) = engine.rank(query).lists
    return [f"i{place}" for place in ordered.positions.tolist()]


@pytest.mark.parametrize("reranker", ["", "down"])
def test_newcomers_have_their_places_with_a_reranker_and_without(reranker: str) -> None:
    # "up" puts them first, "down" far behind: only the rule brings them into its window, the better one by the weights.
    window = _window(_engine({"newcomer_every": 5}, reranker=reranker), _query())
    assert len(window) == len(set(window)) == 10
    if reranker:
        assert window[4] == "i27"
        assert window[9] == "i25"
    assert set(NEWCOMERS) <= set(window)


def test_without_the_rule_they_have_none() -> None:
    assert not set(NEWCOMERS) & set(_window(_engine({}, reranker="down"), _query()))


def test_who_is_not_told_what_is_popular_shows_none() -> None:
    window = _window(_engine({"newcomer_every": 5}, reranker="down"), _query(told=False))
    assert not set(NEWCOMERS) & set(window)


def test_a_newcomer_that_must_not_be_shown_is_not() -> None:
    engine = _engine({"newcomer_every": 5}, reranker="down")
    hidden = Profile(
        items=ItemHistory(
            **{
                field: np.array([-1 if field == "opinion" else 0])
                for field in ItemHistory.__dataclass_fields__
                if field != "item_ids"
            },
            item_ids=["i27"],
        )
    )
    window = _window(engine, _query(hidden))
    assert "i27" not in window
    assert window[4] == "i25"


def test_a_newcomer_that_is_sold_out_is_not_shown() -> None:
    def sold_out(item: Item) -> Item:
        return msgspec.structs.replace(item, availability=Availability.OUT_OF_STOCK)

    engine = _engine({"newcomer_every": 5}, sold_out, reranker="down")
    assert not set(NEWCOMERS) & set(_window(engine, _query()))


def test_newcomers_keep_within_the_caps() -> None:
    def same(item: Item) -> Item:
        return msgspec.structs.replace(item, brand="one")

    engine = _engine({"newcomer_every": 5, "max_per_brand": 1}, same, reranker="down")
    assert len(set(NEWCOMERS) & set(_window(engine, _query()))) == 1


def test_explain_tells_of_the_rule() -> None:
    engine, query = _engine({"newcomer_every": 5}, reranker="down"), _query()
    told = engine.explain(query, "i27").explanation
    assert (told.rank, told.decided_by, told.exclusions) == (5, "rules.newcomer_every", ())
    beside = engine.explain(query, "i4").explanation
    assert (beside.rank, beside.decided_by) == (6, "down")
