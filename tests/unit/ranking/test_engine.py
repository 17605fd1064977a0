"""The ranking engine with plugins that behave and plugins that do not."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pluggy
import pytest

from tests.support.shop import make_catalog
from vitrine import plugin as contract
from vitrine.catalog import Catalog
from vitrine.config import Config, RulesConfig, SceneConfig, load_config
from vitrine.domain.answer import DegradationCode, ReasonCode
from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import ItemHistory, Profile
from vitrine.domain.request import Context
from vitrine.errors import InferenceTimeout, InvalidInput
from vitrine.hosting import Plugin, RankerFacts, Rankers
from vitrine.plugin import Batch, LoadContext, MissingData, Scores, hookimpl
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery

NOW = 1_000_000.0
Score = Callable[[Batch], Scores]


class _Ranker:
    version = "1.0"
    reason: ReasonCode | None = ReasonCode.TASTE

    def __init__(self, name: str, score: Score, after: tuple[str, ...] = ()) -> None:
        self.name = name
        self.score = score
        self.after = after
        self.budget_ms = 1000.0
        self.partial = True


def _plugin(name: str, score: Score | None, kind: type["_Ranker"] = _Ranker) -> Plugin:
    class Module:
        @hookimpl
        def vitrine_make_ranker(self, load: LoadContext) -> _Ranker:
            if score is None:
                raise MissingData("the bundle has no such thing")
            return kind(name, score)

    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(Module())
    return Plugin(name, "test 1.0", host)


def _config(weights: Mapping[str, float], **scene: object) -> Config:
    one = SceneConfig.model_validate({"sources": {"popular": 10}, "weights": dict(weights), **scene})
    return load_config().model_copy(update={"scenes": {"home": one}})


def _engine(
    catalog: Catalog,
    rankers: Mapping[str, Score | None],
    weights: Mapping[str, float] | None = None,
    **scene: object,
) -> RankingEngine:
    plugins = [_plugin(name, score) for name, score in rankers.items()]
    return RankingEngine(catalog, None, _config(weights or dict.fromkeys(rankers, 1.0), **scene), plugins)


def _query(ids: list[str], profile: Profile | None = None, limit: int = 20) -> RankingQuery:
    candidates = Candidates(
        ids,
        ("popular",),
        np.ones(len(ids), np.uint32),
        np.linspace(1, 0.5, len(ids), dtype=np.float32)[:, None],
    )
    return RankingQuery.single(NOW, ShopperQuery(profile or Profile(), "home", Context(), limit), candidates)


def _by_number(batch: Batch) -> Scores:
    return np.array([float(i[1:]) for i in batch.items.ids], np.float32)


def _ids(engine: RankingEngine, query: RankingQuery) -> list[str]:
    one = engine.rank(query).lists[0]
    return [query.candidates.item_ids[i] for i in one.positions.tolist()]


def test_orders_by_the_ranker_and_says_what_took_part() -> None:
    engine = _engine(make_catalog(5), {"number": _by_number})
    ranked = engine.rank(_query(["i1", "i4", "i2"], Profile(event_count=1)))
    assert ranked.lists[0].positions.tolist() == [1, 2, 0]
    assert ranked.score_names == ("number", "source:popular")
    assert ranked.versions.plugins == (("number", "1.0"),)
    np.testing.assert_allclose(ranked.lists[0].component_scores[:, 0], [4, 2, 1])
    assert ranked.lists[0].reasons[0].code is ReasonCode.TASTE
    assert ranked.degraded == ()


def _raise(batch: Batch) -> Scores:
    raise RuntimeError("secret")


def _mutate(batch: Batch) -> Scores:
    batch.items.rows[0] = 7
    return _by_number(batch)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (_raise, "the plugin failed"),
        (_mutate, "the plugin failed"),
        (lambda batch: np.zeros(1, np.float32), "shape"),
        (lambda batch: np.full(len(batch.items.ids), np.inf, np.float32), "infinite"),
        (lambda batch: np.zeros(len(batch.items.ids), np.float64), "float32"),
        (lambda batch: None, "float32"),
    ],
)
def test_a_bad_ranker_is_left_out_and_named(bad: Score, said: str) -> None:
    engine = _engine(make_catalog(5), {"bad": bad, "number": _by_number})
    query = _query(["i1", "i4", "i2"])
    ranked = engine.rank(query)
    assert _ids(engine, query) == ["i4", "i2", "i1"]
    (part,) = ranked.degraded
    assert (part.component, part.code) == ("ranker:bad", DegradationCode.FAILED)
    assert said in part.message
    assert "secret" not in part.message


def test_rankers_that_are_missing_are_off_with_the_reason() -> None:
    engine = _engine(make_catalog(3), {"poor": None}, {"poor": 1.0, "absent": 1.0, "source:popular": 1.0})
    query = _query(["i2", "i1"])
    said = {part.component: part for part in engine.rank(query).degraded}
    assert said["ranker:poor"].message == "the bundle has no such thing"
    assert "vitrine plugins" in said["ranker:absent"].message
    assert {part.code for part in said.values()} == {DegradationCode.OFF}
    assert _ids(engine, query) == ["i2", "i1"]


@pytest.mark.parametrize("rows", [[999], [-7], [10**18], ["x"], None])
def test_a_wrong_explanation_costs_only_itself(rows: object) -> None:
    class Liar(_Ranker):
        def explain(self, batch: Batch, positions: object) -> object:
            return np.array(rows) if isinstance(rows, list) else rows

    plugin = _plugin("liar", _by_number, Liar)
    engine = RankingEngine(make_catalog(5), None, _config({"liar": 1.0}), [plugin])
    (one,) = engine.rank(_query(["i1", "i4"])).lists
    assert one.positions.tolist() == [1, 0]
    assert [r.item_ids for r in one.reasons] == [(), ()]


class _Speaker(_Ranker):
    reason = ReasonCode.CO_VISITATION
    asked: list[str] = []  # noqa: RUF012

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        self.asked.append(self.name)
        # By its name: one that always knows, and one that never does.
        return np.full(len(positions), 0 if self.name.startswith("knows") else -1)


def test_a_ranker_with_nothing_to_say_leaves_the_word_to_others_and_those_of_other_scenes_are_not_asked() -> (
    None
):
    config = _config({"knows": 1.0, "shy": 1.0})
    beside = SceneConfig(sources={"popular": 10}, weights={"knows_elsewhere": 1.0})
    config = config.model_copy(update={"scenes": {**config.scenes, "beside": beside}})
    plugins = [_plugin(name, _by_number, _Speaker) for name in ("knows", "knows_elsewhere", "shy")]
    _Speaker.asked = []
    shopper = ShopperQuery(Profile(), "home", Context(item_ids=("i3",)))
    query = RankingQuery.single(NOW, shopper, Candidates.of_items(["i1", "i4"]))
    (one,) = RankingEngine(make_catalog(5), None, config, plugins).rank(query).lists
    assert [r.item_ids for r in one.reasons] == [("i3",), ("i3",)]
    assert set(_Speaker.asked) == {"knows", "shy"}


def test_rankers_cannot_change_each_others_scores() -> None:
    def vandal(batch: Batch) -> Scores:
        batch.scores["number"][:] = 0
        return _by_number(batch)

    def replacer(batch: Batch) -> Scores:
        batch.scores["number"] = None  # type: ignore[index]
        return _by_number(batch)

    rankers = {"number": _by_number, "vandal": vandal, "replacer": replacer}
    ranked = _engine(make_catalog(5), rankers).rank(_query(["i1", "i4"]))
    assert {d.component for d in ranked.degraded} == {"ranker:vandal", "ranker:replacer"}
    assert ranked.lists[0].component_scores[:, 0].tolist() == [4, 1]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("version", 1.0), ("name", None), ("reason", "because"), ("after", "number"), ("budget_ms", 0)],
)
def test_a_ranker_of_the_wrong_shape_is_off(attribute: str, value: object) -> None:
    class Module:
        @hookimpl
        def vitrine_make_ranker(self, load: LoadContext) -> _Ranker:
            made = _Ranker("odd", _by_number)
            setattr(made, attribute, value)
            return made

    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(Module())
    engine = RankingEngine(make_catalog(2), None, _config({"odd": 1.0}), [Plugin("odd", "", host)])
    assert attribute in engine.rankers.off["odd"]


def test_nan_has_nothing_to_say() -> None:
    def first_only(batch: Batch) -> Scores:
        scores = np.full(len(batch.items.ids), np.nan, np.float32)
        scores[-1] = 1.0
        return scores

    assert _ids(_engine(make_catalog(4), {"nan": first_only}), _query(["i0", "i1", "i2"]))[0] == "i2"


def test_unsellable_unknown_and_hidden_items_are_never_shown() -> None:
    hidden = Profile(
        items=ItemHistory(
            item_ids=("i3",),
            last_time=np.zeros(1),
            last_purchase=np.zeros(1),
            in_cart=np.zeros(1),
            purchases=np.zeros(1),
            long_term=np.zeros(1),
            short_term=np.zeros(1),
            opinion=np.full(1, -1, np.int8),
        )
    )
    engine = _engine(make_catalog(6, out_of_stock=[4]), {"number": _by_number})
    assert _ids(engine, _query(["i5", "i4", "i3", "i99", "i1"], hidden)) == ["i5", "i1"]


def test_at_most_so_many_of_a_brand() -> None:
    engine = _engine(make_catalog(9), {"number": _by_number}, rules=RulesConfig(max_per_brand=1).model_dump())
    assert _ids(engine, _query([f"i{n}" for n in range(9)])) == ["i8", "i7", "i6"]


def test_a_batch_equals_its_queries_one_by_one() -> None:
    engine = _engine(make_catalog(30), {"number": _by_number}, {"number": 1.0, "source:popular": 0.5})
    singles = [_query([f"i{n}" for n in range(a, b)]) for a, b in ((0, 10), (5, 6), (3, 3), (2, 30))]
    candidates = [q.candidates for q in singles]
    together = RankingQuery(
        NOW,
        tuple(q.queries[0] for q in singles),
        Candidates(
            [i for c in candidates for i in c.item_ids],
            ("popular",),
            np.concatenate([c.masks for c in candidates]),
            np.concatenate([c.scores for c in candidates]),
        ),
        np.cumsum([0] + [len(c) for c in candidates]),
    )
    for query, found in zip(singles, engine.rank(together).lists, strict=True):
        (alone,) = engine.rank(query).lists
        assert found.positions.tolist() == alone.positions.tolist()
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-6)


def test_equal_scores_do_not_depend_on_the_order_of_the_catalogue() -> None:
    flat: Score = lambda batch: np.ones(len(batch.items.ids), np.float32)  # noqa: E731
    forward, backward = make_catalog(20), Catalog()
    backward.apply([forward.item(n) for n in reversed(range(20))], 1)
    ids = [f"i{n}" for n in range(20)]
    one = _ids(_engine(forward, {"flat": flat}), _query(ids))
    two = _ids(_engine(backward, {"flat": flat}), _query(list(reversed(ids))))
    assert one == two
    assert one != ids
    assert _ids(_engine(make_catalog(20, seed=1), {"flat": flat}), _query(ids)) != one


def test_unknown_scene_is_named() -> None:
    engine = _engine(make_catalog(1), {"number": _by_number})
    query = RankingQuery.single(NOW, ShopperQuery(Profile(), "hoem"), Candidates.of_items(["i0"]))
    with pytest.raises(InvalidInput, match=r"queries\[0\]\.scene: unknown scene 'hoem'; configured: home"):
        engine.rank(query)


def test_a_reranker_sees_all_others_and_decides_alone() -> None:
    seen: list[list[str]] = []

    def backwards(batch: Batch) -> Scores:
        seen.append(sorted(batch.scores))
        scores = -_by_number(batch)
        scores[0] = np.nan
        return scores

    catalog = make_catalog(6)
    rankers: dict[str, Score | None] = {"number": _by_number, "last": backwards}
    engine = _engine(catalog, rankers, {"number": 5.0}, reranker="last")
    query = _query(["i1", "i4", "i2", "i3"])
    # What it says nothing of comes last.
    assert _ids(engine, query) == ["i2", "i3", "i4", "i1"]
    assert seen == [["number"]]
    ranked = engine.rank(query)
    assert ranked.score_names == ("number", "last", "source:popular")
    assert 0 <= ranked.lists[0].scores.min() <= ranked.lists[0].scores.max() <= 1


def test_without_its_reranker_a_scene_goes_by_the_weights() -> None:
    engine = _engine(
        make_catalog(6), {"number": _by_number, "last": _raise}, {"number": 5.0}, reranker="last"
    )
    query = _query(["i1", "i4", "i2"])
    assert _ids(engine, query) == ["i4", "i2", "i1"]
    assert [part.component for part in engine.rank(query).degraded] == ["ranker:last"]


def test_a_reranker_with_nothing_to_say_leaves_it_to_the_weights() -> None:
    silent: Score = lambda batch: np.full(len(batch.items.ids), np.nan, np.float32)  # noqa: E731
    rankers: dict[str, Score | None] = {"number": _by_number, "last": silent}
    query = _query(["i1", "i4", "i2", "i3"])
    engine = _engine(make_catalog(6), rankers, {"number": 5.0}, reranker="last")
    assert _ids(engine, query) == ["i4", "i3", "i2", "i1"]
    assert engine.explain(query, "i4").explanation.decided_by == "weights"


def test_a_ranker_that_is_late_is_left_out_and_said_to_be() -> None:
    def late(batch: Batch) -> Scores:
        raise InferenceTimeout("the model did not answer within its time budget")

    engine = _engine(make_catalog(5), {"late": late, "number": _by_number})
    query = _query(["i1", "i4"])
    assert _ids(engine, query) == ["i4", "i1"]
    (part,) = engine.rank(query).degraded
    assert (part.component, part.code) == ("ranker:late", DegradationCode.TIMEOUT)


def test_rankers_run_after_those_whose_scores_they_read() -> None:
    def ranker(name: str, *after: str) -> RankerFacts:
        return RankerFacts(name, "1.0", None, 5.0, after)

    made = (ranker("deep", "cf", "absent"), ranker("top", "deep"), ranker("cf"), ranker("plain"))
    rankers = Rankers({one.name: one for one in made}, {})
    assert rankers.in_order(["top", "plain", "deep", "cf"]) == ["cf", "deep", "top", "plain"]
    assert rankers.in_order(["plain", "cf", "deep", "off"]) == ["plain", "cf", "deep", "off"]
    around = Rankers({"a": ranker("a", "b"), "b": ranker("b", "a")}, {})
    assert around.in_order(["a", "b"]) == ["b", "a"]


def test_reasons_that_cannot_be_told_cost_no_item(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr("vitrine.ranking.engine.ReasonTeller.reasons", fail)
    ranked = _engine(make_catalog(5), {"number": _by_number}).rank(_query(["i1", "i4"]))
    (one,) = ranked.lists
    assert one.positions.tolist() == [1, 0]
    assert [reason.code for reason in one.reasons] == [None, None]
    assert [(d.component, d.code) for d in ranked.degraded] == [("reasons", DegradationCode.FAILED)]
    assert "secret" not in ranked.degraded[0].message
