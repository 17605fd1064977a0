"""Whatever a plugin says or answers: the engine gets plain copies, and answers can carry it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from tests.support.shop import make_catalog
from tests.unit.hosting.test_contract import config, found
from vitrine.app.check import wrong_uses
from vitrine.config import PluginConfig, SceneConfig
from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import Profile
from vitrine.errors import PluginFailed
from vitrine.hosting import Hosted, Missing, make_rankers
from vitrine.hosting.breaker import Breaker
from vitrine.hosting.plain import plain, words
from vitrine.plugin import Attribution, Batch, FeatureColumn, LoadContext, MissingData, Ranker, Scores
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery
from vitrine.wire.ranking import ranked_to_proto

N = 5


class Ranks:
    """Answers what it is told; its model says why, likewise."""

    name, version, reason, budget_ms, groups = "x", "1.0", None, 1000.0, ("a",)

    def __init__(self, says: Callable[[Scores], Any] = lambda ones: ones, version: str = "1.0") -> None:
        self.says = says
        self.version = version
        self.attribution: Any = None

    def score(self, batch: Batch) -> Any:
        return self.says(np.ones(len(batch.items.ids), np.float32))

    def group_shares(self, batch: Batch, positions: Any) -> Any:
        return np.ones((len(positions), 1), np.float32)

    def attribute(self, batch: Batch, positions: Any) -> Any:
        return self.attribution


class Evil(np.ndarray[Any, Any]):
    """Raises as soon as anybody reckons with it, but looks well."""

    def __array_function__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Any:
        return getattr(ufunc, method)(*map(np.asarray, inputs))


def engine_of(make: Callable[[], Any], reranker: str = "x") -> RankingEngine:
    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        made: Ranker = make()
        return made

    scene = SceneConfig(sources={"popular": 10}, weights={}, reranker=reranker)
    settings = config().model_copy(update={"scenes": {"home": scene}})
    return RankingEngine(make_catalog(N), None, settings, [found("x", vitrine_make_ranker)])


def query() -> RankingQuery:
    candidates = Candidates.of_items([f"i{i}" for i in range(N)])
    return RankingQuery(0.0, (ShopperQuery(Profile(), "home"),), candidates, np.array([0, N], np.int64))


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (lambda ones: ones.view(Evil), "a Evil where"),
        (lambda ones: np.ma.masked_array(ones, mask=ones > 0), "a MaskedArray where"),
        (lambda ones: ones.astype(object), "a object array where"),
        (lambda ones: ones.astype(">f4"), "a >f4 array|a float32 array"),
        (lambda ones: np.float32(1), "a float32 where"),
        (lambda ones: ones[0:1].reshape(()), r"scores of shape \(\)"),
        (lambda ones: np.broadcast_to(ones[:1], (1 << 40,)), "scores of shape"),
        (lambda ones: ones.view([("x" * 999, "f4")]), "a .*…$"),
    ],
)
def test_odd_arrays_are_refused_in_words(says: Callable[[Scores], Any], told: str) -> None:
    ranked = engine_of(lambda: Ranks(says)).rank(query())
    ((component, _, message),) = ranked.degraded
    assert component == "ranker:x"
    assert message.startswith("the plugin answered ")
    assert re.search(told, message)
    assert len(message) < 350


def test_an_array_that_a_plugin_uses_again_is_copied() -> None:
    buffer = np.ones(N, np.float32)
    scored = engine_of(lambda: Ranks(lambda _: buffer)).score(
        query(), [SceneConfig(sources={"popular": 1}, weights={}, reranker="x")]
    )
    buffer[:] = np.nan
    assert scored.scores["x"].tolist() == [1.0] * N
    assert not scored.scores["x"].flags.writeable


class Once(Mapping[str, Scores]):
    """Computes a column when it is looked at, and can do so once."""

    def __init__(self, columns: dict[str, Scores]) -> None:
        self.columns = columns

    def __getitem__(self, name: str) -> Scores:
        return self.columns.pop(name)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self.columns))

    def __len__(self) -> int:
        return len(self.columns)


def test_a_mapping_of_a_plugin_is_looked_at_once() -> None:
    class Block:
        columns, budget_ms = (FeatureColumn("c", "A column."),), 1000.0

        def compute(self, batch: Batch) -> Mapping[str, Scores]:
            return Once({"c": np.ones(len(batch.items.ids), np.float32)})

    def vitrine_make_features(load: LoadContext) -> Block:
        return Block()

    settings = config().model_copy(update={"features": ("x",)})
    engine = RankingEngine(make_catalog(N), None, settings, [found("x", vitrine_make_features)])
    scored = engine.score(query(), [settings.scenes["home"]], blocks=["x"])
    assert "features:x" not in {part.component for part in scored.degraded}
    assert scored.batch.features.column("plugin:x.c").tolist() == [1.0] * N


def one(dtype: Any = np.float32, value: Any = 1) -> Any:
    return np.full((1, 1), value, dtype)


@pytest.mark.parametrize(
    "attribution",
    [
        Attribution((1,), one(), one(), 0.0),  # type: ignore[arg-type]
        Attribution(("a",), one(object, "x"), one(), 0.0),
        Attribution(("a",), one(), one(complex), 0.0),
        Attribution(("a",), one(), one(), "much"),  # type: ignore[arg-type]
        Attribution(("a",), one(), one(), np.nan),
    ],
)
def test_an_explanation_goes_on_without_an_attribution_that_is_none(attribution: Attribution) -> None:
    def make() -> Ranks:
        ranks = Ranks()
        ranks.attribution = attribution
        return ranks

    explained = engine_of(make).explain(query(), "i1")
    assert [part.component for part in explained.degraded] == ["ranker:x"]


def test_names_of_an_attribution_are_words() -> None:
    told = plain(Attribution(("\udcff", "x" * 1000), one().repeat(2, 1), one().repeat(2, 1), 0))
    assert told.columns[0] == "?"
    assert len(told.columns[1]) == 300


def test_what_a_plugin_says_fits_into_answers() -> None:
    class Mute(MissingData):
        def __str__(self) -> str:
            raise RuntimeError

    assert words(MissingData("the bundle has no linear model")) == "the bundle has no linear model"
    assert words(Mute()) == "Mute"

    def raises(error: Exception) -> Callable[[], Any]:
        def make() -> Any:
            raise error

        return make

    for make in (raises(MissingData("x" * 10**6)), raises(MissingData("\udcff")), raises(Mute())):
        ranked = engine_of(make).rank(query())
        assert ranked_to_proto(ranked, "").ByteSize() < 1000
    odd = ranked_to_proto(engine_of(lambda: Ranks(version="\udcff")).rank(query()), "")
    assert odd.SerializeToString()
    (part,) = engine_of(lambda: Ranks(version="x" * 101)).rank(query()).degraded
    assert part.message == "version of the ranker must have at most 100 characters"


def test_a_plugin_that_exits_while_it_is_looked_at_is_off() -> None:
    class Exits(Ranks):
        @property
        def partial(self) -> bool:
            raise SystemExit(3)

    def vitrine_settings() -> None:
        raise SystemExit(3)

    def vitrine_make_ranker(load: LoadContext) -> Exits:
        return Exits()

    settings = config(x=PluginConfig())
    rankers = make_rankers([found("x", vitrine_make_ranker)], ["x"], None, settings)
    assert rankers.off == {"x": "failed to start: SystemExit"}
    plugin = found("x", vitrine_make_ranker, vitrine_settings)
    assert make_rankers([plugin], ["x"], None, settings).off == {"x": "failed to start: SystemExit"}
    assert "failed on them with SystemExit" in wrong_uses(settings, [plugin])[0]


def test_a_plugin_that_raises_our_own_error_says_nothing_in_answers() -> None:
    def fail(_: Scores) -> None:
        raise PluginFailed("/home/secret")

    hosted = Hosted("ranker:x", Ranks(fail), 1.0, Breaker(3, 60))
    scored = engine_of(lambda: Ranks(fail)).score(
        query(), [SceneConfig(sources={"popular": 1}, weights={}, reranker="x")]
    )
    answer = hosted.attempt("score", scored.batch, check=lambda _: "")
    assert isinstance(answer, Missing)
    assert answer.message == "the plugin failed"
