"""Reasons come from what counted, as far as they are true; explanations add up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.models import tree_model
from tests.support.rerank import LIST, NOW, Reranker, make_engine, shopper, window_of
from vitrine.config import SceneConfig
from vitrine.domain.answer import DegradationCode, ReasonCode
from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import Profile
from vitrine.domain.request import NO_CONTEXT, Context, Filters
from vitrine.errors import NotFound
from vitrine.inference import TreeModel
from vitrine.plugin import Attribution, Batch, Scores
from vitrine.ranking import RankingEngine
from vitrine_lightgbm import LambdaRank

FEATURES = ("history.purchases", "history.views", "item.popularity", "item.age_days", "source:search.share")
SCENE = SceneConfig(sources={"popular": 1}, weights={}, reranker="lightgbm")


@lru_cache
def trees() -> LambdaRank:
    return LambdaRank(TreeModel(tree_model(FEATURES, trees=20).data), FEATURES)


class Claims(Reranker):
    """Says that one group alone made every score."""

    def __init__(self, *groups: str) -> None:
        self.groups = groups

    def group_shares(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Scores:
        return np.ones((len(positions), 1), np.float32)

    def attribute(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Attribution:
        raise NotImplementedError


def _reasons(
    engine: RankingEngine, context: Context = NO_CONTEXT, who: Profile | None = None
) -> Mapping[str, str]:
    query = window_of(who or shopper(), context)
    (made,) = engine.rank(query).lists
    ids = [query.candidates.item_ids[p] for p in made.positions.tolist()]
    return {i: r.code.name if r.code else "" for i, r in zip(ids, made.reasons, strict=True)}


# What the support module's list has: i0 and i1 were bought, i2 looked at, i3 is new, i4 rising and found by the
# popular source, i5 is popular by its share, i6 matches the query, i7 nobody knows.
@pytest.mark.parametrize(
    ("group", "code", "true_of"),
    [
        ("history", "BOUGHT_AGAIN", {"i0", "i1"}),
        ("newness", "NEW_ARRIVAL", {"i3"}),
        ("trend", "TRENDING", {"i4"}),
        ("popularity", "POPULAR", {"i4", "i5"}),
        ("search", "SEARCH_MATCH", {"i6"}),
        ("cf", "CO_VISITATION", set()),
        ("content", "SIMILAR_CONTENT", set()),
        ("taste", "TASTE", {"i0", "i1", "i2"}),
        ("deep", "TASTE", {"i0", "i1", "i2"}),
    ],
)
def test_a_reason_is_given_where_it_is_true_and_nowhere_else(
    group: str, code: str, true_of: set[str]
) -> None:
    said = _reasons(make_engine(Claims(group)), Context(query="mug"))
    assert {i for i, c in said.items() if c == code} == true_of


@pytest.mark.parametrize("source", ["follows", "visits", "seen_again", "factors"])
def test_what_goes_with_the_latest_events_fits_though_no_ranker_says_so(source: str) -> None:
    engine = make_engine(None, weights={f"source:{source}": 1.0})
    for who, codes in ((shopper(), {"i3": "TASTE", "i7": "TASTE", "i5": "POPULAR"}), (Profile(), {"i7": ""})):
        query = window_of(who)
        # i3 and i7 are what it found, alone.
        names = ("popular", "trending", source, "search")
        query = replace(query, candidates=replace(query.candidates, source_names=names))
        (made,) = engine.rank(query).lists
        ids = [query.candidates.item_ids[p] for p in made.positions.tolist()]
        said = {i: r.code.name if r.code else "" for i, r in zip(ids, made.reasons, strict=True)}
        assert codes.items() <= said.items()


def test_what_was_only_looked_at_was_not_bought() -> None:
    assert _reasons(make_engine(Claims("history")))["i2"] == "TASTE"


def test_nothing_matches_a_query_that_nobody_typed() -> None:
    assert "SEARCH_MATCH" not in _reasons(make_engine(Claims("search"))).values()


def test_nobody_in_particular_has_no_taste_and_bought_nothing() -> None:
    said = _reasons(make_engine(Claims("taste")), who=Profile())
    assert not {"TASTE", "BOUGHT_AGAIN"} & set(said.values())


def test_an_item_of_which_nothing_is_true_has_no_reason() -> None:
    assert _reasons(make_engine(Claims("trend")), who=Profile())["i7"] == ""


def test_the_next_largest_share_counts_where_the_largest_is_not_true() -> None:
    class Two(Claims):
        def group_shares(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Scores:
            return np.tile(np.array([3, 2, 9], np.float32), (len(positions), 1))

    said = _reasons(make_engine(Two("newness", "popularity", "shopper")))
    assert (said["i3"], said["i4"], said["i5"]) == ("NEW_ARRIVAL", "POPULAR", "POPULAR")


@pytest.mark.parametrize("shape", [(1, 1), (8, 2), (8,), None])
def test_shares_that_are_nonsense_leave_it_to_the_weights(shape: tuple[int, ...] | None) -> None:
    class Broken(Claims):
        def group_shares(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Scores:
            if shape is None:
                raise RuntimeError
            return np.full(shape, np.nan, np.float32)

    said = _reasons(make_engine(Broken("trend"), weights={"source:popular": 1.0}))
    assert said["i4"] == "POPULAR"


def test_trees_tell_what_their_scores_are_made_of() -> None:
    model = trees()
    engine = make_engine(model)
    for item_id in LIST:
        told = engine.explain(window_of(shopper()), item_id).explanation
        assert told.decided_by == "lightgbm"
        assert told.model_score == pytest.approx(told.scores["lightgbm"], abs=1e-5)
        assert told.base + sum(g.share for g in told.groups) == pytest.approx(told.model_score, abs=1e-5)
        assert sorted(c.name for c in told.columns) == sorted(FEATURES)
        assert [abs(c.share) for c in told.columns] == sorted(
            (abs(c.share) for c in told.columns), reverse=True
        )
    bought = {c.name: c for c in engine.explain(window_of(shopper()), "i0").explanation.columns}
    assert bought["history.purchases"].reading == "4 times"
    assert bought["source:search.share"].reading == "not known"


def test_an_explanation_has_the_rank_score_and_reason_of_the_window() -> None:
    engine = make_engine(trees())
    query = window_of(shopper(), limit=3)
    (made,) = engine.rank(query).lists
    seen = []
    for item_id in LIST:
        told = engine.explain(query, item_id).explanation
        seen.append(told.rank)
        assert (told.list_size, told.candidates) == (len(LIST), len(LIST))
        if told.rank <= 3:
            assert LIST[made.positions[told.rank - 1]] == item_id
            assert told.score == pytest.approx(float(made.scores[told.rank - 1]))
            assert told.reason == made.reasons[told.rank - 1]
    assert sorted(seen) == list(range(1, len(LIST) + 1))


def test_quick_shares_point_where_exact_ones_do() -> None:
    engine, model = make_engine(trees()), trees()
    batch = engine.score(window_of(shopper()), [SCENE]).batch
    everything = np.arange(len(LIST))
    quick, exact = model.group_shares(batch, everything), model.attribute(batch, everything)
    np.testing.assert_allclose(quick.sum(axis=1), exact.shares.sum(axis=1), atol=1e-4)


def test_weights_explain_where_nothing_reranks() -> None:
    engine = make_engine(None, weights={"source:popular": 2.0, "source:search": 1.0, "source:trending": 0.0})
    told = engine.explain(window_of(shopper()), "i4").explanation
    assert (told.decided_by, told.base) == ("weights", 0.0)
    assert {c.name for c in told.columns} == {"source:popular", "source:search"}
    assert (told.groups[0].name, told.groups[0].share) == ("popularity", 2.0)
    assert told.model_score == pytest.approx(2.0)


def test_a_reranker_that_cannot_tell_is_named() -> None:
    explained = make_engine(Reranker()).explain(window_of(shopper()), "i1")
    assert explained.explanation.rank
    assert explained.explanation.columns == ()
    (part,) = explained.degraded
    assert (part.component, part.code) == ("ranker:lightgbm", DegradationCode.FAILED)


@pytest.mark.parametrize(
    ("rules", "context", "item_id", "said"),
    [
        ({}, Context(), "i9", ["availability"]),
        ({}, Context(), "i8", ["hidden"]),
        ({"exclude_purchased": True}, Context(), "i0", ["rules.exclude_purchased"]),
        ({}, Context(basket=("i5",)), "i5", ["rules.exclude_in_cart"]),
        ({}, Context(item_ids=("i5",)), "i5", ["rules.exclude_seeds"]),
        ({"max_per_brand": 1}, Context(), "i0", ["rules.max_per_brand"]),
        ({"max_per_category": 1}, Context(), "i0", ["rules.max_per_category"]),
    ],
)
def test_what_keeps_an_item_out_is_named(
    rules: Mapping[str, object], context: Context, item_id: str, said: Sequence[str]
) -> None:
    # By falling number, so that of each brand and category i0 comes last.
    engine = make_engine(Reranker(), out_of_stock=[9], rules=rules)
    told = engine.explain(window_of(shopper(), context, more=("i8", "i9")), item_id).explanation
    assert told.rank == 0
    assert [e.rule for e in told.exclusions] == said


@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize(
    "rules", [{}, {"exclude_purchased": True, "exclude_seeds": False, "max_per_brand": 2}]
)
def test_an_item_is_left_out_exactly_where_a_rule_is_named(rules: Mapping[str, object], number: int) -> None:
    engine = make_engine(Reranker(), out_of_stock=[9], rules=rules)
    context = Context(item_ids=("i3",), basket=("i4",))
    told = engine.explain(window_of(shopper(), context, more=("i8", "i9")), f"i{number}").explanation
    assert (told.rank == 0) == bool(told.exclusions)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (Filters(brands=("b1",)), ["filters.brands"]),
        (Filters(categories=("Things > Kind 0",)), []),
        (Filters(categories=("Other",)), ["filters.category_paths"]),
        (Filters(min_price_micros=2_000_000), ["filters.min_price"]),
        (Filters(max_price_micros=500_000), ["filters.max_price"]),
        (Filters(exclude=("i0",)), ["filters.exclude_item_ids"]),
        (Filters(created_after=NOW), ["filters.created_after"]),
    ],
)
def test_filters_that_an_item_does_not_pass_are_named(filters: Filters, said: Sequence[str]) -> None:
    told = make_engine(Reranker()).explain(window_of(shopper()), "i0", filters).explanation
    assert [e.rule for e in told.exclusions] == said
    assert (told.rank == 0) == bool(said)
    assert told.list_size == 8 - bool(said)


def test_what_is_no_candidate_is_not_found() -> None:
    with pytest.raises(NotFound, match="item_id"):
        make_engine(Reranker()).explain(window_of(shopper()), "i99")


def test_reasons_are_of_this_query_alone() -> None:
    engine = make_engine(trees())
    one, other = window_of(shopper()), window_of(Profile())
    together = type(one)(
        NOW,
        (*one.queries, *other.queries),
        Candidates(
            [*LIST, *LIST],
            one.candidates.source_names,
            np.concatenate([one.candidates.masks] * 2),
            np.concatenate([one.candidates.scores] * 2),
            np.concatenate([one.candidates.popularity] * 2),
            np.concatenate([one.candidates.trend] * 2),
        ),
        np.array([0, len(LIST), 2 * len(LIST)]),
    )
    first, second = engine.rank(together).lists
    assert list(first.reasons) == list(engine.rank(one).lists[0].reasons)
    assert list(second.reasons) == list(engine.rank(other).lists[0].reasons)
    assert ReasonCode.BOUGHT_AGAIN in {r.code for r in first.reasons}
    assert ReasonCode.BOUGHT_AGAIN not in {r.code for r in second.reasons}
