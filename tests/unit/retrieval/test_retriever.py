"""Sources, each by itself, and merged."""

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from tests.support.shop import dense
from vitrine.bundle import AttachedBundle, Factors, Visits
from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.config import Config, RulesConfig, SceneConfig, load_config
from vitrine.domain.answer import DegradationCode
from vitrine.domain.candidates import Retrieved
from vitrine.domain.events import Activity
from vitrine.domain.items import Availability, Item
from vitrine.domain.profile import DAY, Counters, ItemHistory, Profile, RecentEvents
from vitrine.domain.request import Context, Filters
from vitrine.errors import ConfigError, InferenceTimeout, InvalidInput, NotFound
from vitrine.interest import InterestModel
from vitrine.interest.reading import InterestReader
from vitrine.ranking import ShopperQuery
from vitrine.recommendation.fallback import rank_as_found
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.query import RetrievalQuery
from vitrine.retrieval.retriever import Retriever
from vitrine.retrieval.sources import new_arrivals

NOW = 1.7e9
ITEMS = [
    Item(
        item_id=f"i{k}",
        title=f"{'blue' if k % 2 else 'red'} mug {k}",
        category_path=("Home", f"c{k % 3}"),
        brand=f"b{k % 2}",
        created=NOW - k * DAY,
        availability=Availability.OUT_OF_STOCK if k == 9 else Availability.IN_STOCK,
    )
    for k in range(10)
]


class FakeContent:
    """Vectors that tell even items from odd ones, and items from each other a little."""

    def __init__(self, ids: list[str]) -> None:
        numbers = np.array([int(i[1:]) for i in ids])
        vectors = np.stack([numbers % 2 == 0, numbers % 2 == 1, numbers * 0.01], axis=1).astype(np.float32)
        self.vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def encode_text(self, texts: list[str]) -> npt.NDArray[np.float32]:
        return np.array(
            [[1, 0, 0] if "red" in t else [0, 1, 0] if "blue" in t else [0, 0, 0] for t in texts], np.float32
        )


class Encoder:
    """Answers the sum of the latest events, times a factor; nobody has an interest unless told."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def run(
        self, feeds: Mapping[str, np.ndarray], /, *, budget: float | None = None
    ) -> dict[str, np.ndarray]:
        return dict.fromkeys(("short", "long", "interest"), self.factor * feeds["recent"].sum(1))


def bundle_for(
    catalog: Catalog, *, content: bool = True, co_visitation: bool = True, interest: float = 0.0
) -> AttachedBundle:
    """What training made, in the order of the numbers; i0 goes with i1 and i2, i1 with i9 and i3."""
    matrix = np.zeros((10, 10))
    matrix[0, 1], matrix[0, 2], matrix[1, 9], matrix[1, 3], matrix[4, 2] = 0.9, 0.5, 0.8, 0.7, 0.6
    followed = np.zeros((10, 10))
    followed[0, 3], followed[0, 2], followed[3, 3], followed[3, 4] = 0.5, 0.25, 0.3, 0.2
    mine = [f"i{k}" for k in range(10)]
    model = FakeContent(catalog.ids) if content else None
    # Two interests, of odd and even numbers, less of a higher number; i9 is newer than the model.
    vectors = (
        np.array([[k % 2 == 0, k % 2] for k in range(10)], np.float32)
        / np.arange(1, 11, dtype=np.float32)[:, None]
    )
    vectors[9] = 0
    model_of_interest = InterestModel(Encoder(interest), vectors)
    reader = InterestReader(model_of_interest)
    live = vectors[[int(i[1:]) for i in catalog.ids]]
    attached = SimpleNamespace(
        version="b1",
        bundle=SimpleNamespace(
            co_visitation=dense(matrix.tolist()) if co_visitation else None,
            linear=dense((2 * matrix.T).tolist()) if co_visitation else None,
            content=model,
            interest=model_of_interest,
            # i0 is followed by i3 and i2, i3 by itself; i1 and i9 were visited after i0, i5 after i3.
            follows=dense(followed.tolist()),
            factors=Factors(
                np.array([[k < 5, k >= 5] for k in range(10)], np.float16),
                np.ones(10, np.float32),
                np.linspace(1, 0.1, 10, dtype=np.float32),
            ),
            visits=Visits(np.array([0, 3, 5, 7]), np.array([0, 1, 9, 3, 5, 6, 0], np.int32), 10),
        ),
        bundle_rows=np.array([int(i[1:]) for i in catalog.ids], np.int32),
        catalog_rows=catalog.rows(mine),
        content=None if model is None else model.vectors,
        interest_vectors=live,
        interests=lambda profiles, contexts, now: reader.read(profiles, contexts, now, catalog.rows, live, 0),
        near_content=SimpleNamespace(made=None),
        near_interest=SimpleNamespace(made=None),
    )
    return cast("AttachedBundle", attached)


class Shop:
    def __init__(self, items: list[Item] = ITEMS, config: Config | None = None, seed: int = 0) -> None:
        self.catalog = Catalog(seed)
        self.store = CatalogStore.open(None, self.catalog)
        if items:
            self.store.upsert(items, None, NOW)
        self.popularity = Popularity(self.catalog, 30 * DAY, 2 * DAY)
        self.config = config or load_config()
        self.bundle = bundle_for(self.catalog) if items else None

    @property
    def retriever(self) -> Retriever:
        return Retriever(self.catalog, self.popularity, self.bundle, self.config, self.store)

    def buy(self, **counts: int) -> None:
        ids = [i for i, n in counts.items() for _ in range(n)]
        self.popularity.feed(
            Activity(ids, np.full(len(ids), 6, np.int8), np.full(len(ids), NOW), np.ones(len(ids)), len(ids))
        )

    def ask(self, source: str, limit: int = 5, **query: Any) -> Retrieved:
        return self.retriever.retrieve(RetrievalQuery(NOW, sources={source: limit}, **query))

    def ask_scene(self, scene: str, profile: Profile) -> list[str]:
        query = RetrievalQuery(NOW, profile=profile, scene=scene)
        return list(self.retriever.retrieve(query).candidates.item_ids)


def history(
    *ids: str, purchases: list[float] | None = None, opinion: list[int] | None = None, age: float = 1.0
) -> Profile:
    n = len(ids)
    bought = np.array(purchases or [0.0] * n)
    times = NOW - age * DAY * np.arange(float(n), 0.0, -1.0)
    return Profile(
        event_count=n,
        items=ItemHistory(
            item_ids=ids,
            last_time=times,
            last_purchase=np.where(bought > 0, times, 0.0),
            views=np.ones(n),
            in_cart=np.zeros(n),
            purchases=bought,
            quantity=bought,
            long_term=np.ones(n),
            short_term=np.ones(n),
            rating=np.full(n, np.nan, np.float32),
            opinion=np.array(opinion or [0] * n, np.int8),
        ),
    )


def columns(retrieved: Retrieved, source: str) -> dict[str, float]:
    """Scores of a source by item, best first; checks that the columns agree with each other."""
    candidates = retrieved.candidates
    assert len(set(candidates.item_ids)) == len(candidates)
    assert candidates.scores.shape == (len(candidates), len(candidates.source_names))
    found = ~np.isnan(candidates.scores)
    for j in range(len(candidates.source_names)):
        assert ((candidates.masks >> j & 1).astype(bool) == found[:, j]).all()
    assert (candidates.scores[found] > 0).all()
    j = candidates.source_names.index(source)
    pairs = zip(candidates.item_ids, candidates.scores[:, j].tolist(), strict=True)
    return {i: s for i, s in pairs if not np.isnan(s)}


def test_popular_and_trending() -> None:
    shop = Shop()
    shop.buy(i3=3, i4=1, i9=8)
    assert columns(shop.ask("popular"), "popular") == pytest.approx({"i3": 3 / 8, "i4": 1 / 8})
    assert list(columns(shop.ask("trending"), "trending")) == ["i3", "i4"]


def test_co_visitation_starts_from_the_context_or_else_from_the_history() -> None:
    shop = Shop()
    found = columns(shop.ask("co_visitation", context=Context(item_ids=("i0", "gone"))), "co_visitation")
    assert found == pytest.approx({"i1": 0.9, "i2": 0.5})
    found = columns(shop.ask("co_visitation", context=Context(basket=("i1", "i0"))), "co_visitation")
    assert list(found) == ["i1", "i3", "i2"], "i9 is out of stock"
    found = columns(shop.ask("co_visitation", profile=history("i0", "i4", age=1)), "co_visitation")
    assert list(found) == ["i2", "i1"]
    found = columns(shop.ask("co_visitation", profile=history("i0", "i4", opinion=[0, -1])), "co_visitation")
    assert list(found) == ["i1", "i2"], "a hidden item is no seed"


def test_bought_again_by_count_recency_and_demand() -> None:
    shop = Shop()
    profile = history("i1", "gone", "i2", "i3", "i9", "i5", purchases=[3, 9, 1, 1, 4, 0], age=10)
    found = columns(shop.ask("bought_again", profile=profile), "bought_again")
    assert found == pytest.approx(
        {"i1": 0.3 / (1 + 60 / 180), "i3": 0.1 / (1 + 30 / 180), "i2": 0.1 / (1 + 40 / 180)}
    )
    shop.buy(i2=2, i1=1)
    found = columns(shop.ask("bought_again", profile=profile), "bought_again")
    assert found == pytest.approx(
        {"i1": 1.8 / (1 + 60 / 180), "i2": 1.1 / (1 + 40 / 180), "i3": 0.1 / (1 + 30 / 180)}
    )
    profile = history("i1", "i2", purchases=[1, 1], opinion=[-1, 0], age=4000)
    assert list(columns(shop.ask("bought_again", profile=profile), "bought_again")) == ["i2"]


def test_content_resembles_seeds_or_query() -> None:
    shop = Shop()
    found = columns(shop.ask("content", context=Context(item_ids=("i4",))), "content")
    assert set(found) == {"i0", "i2", "i4", "i6", "i8"}
    assert next(iter(found)) == "i4"
    assert set(columns(shop.ask("content", 4, profile=history("i3", "i5")), "content")) == {
        "i1",
        "i3",
        "i5",
        "i7",
    }
    assert set(columns(shop.ask("content", 4, context=Context(query="blue")), "content")) == {
        "i1",
        "i3",
        "i5",
        "i7",
    }


def test_new_arrivals_nearest_first_then_newest() -> None:
    shop = Shop()
    assert list(columns(shop.ask("new_arrivals", 4), "new_arrivals")) == ["i0", "i1", "i2", "i3"]
    one = Counters(["Home > c2"], np.ones(1), np.ones(1), np.ones(1), np.full(1, NOW))
    brand = Counters(["b1"], np.ones(1), np.ones(1), np.ones(1), np.full(1, NOW))
    found = columns(
        shop.ask("new_arrivals", 9, profile=Profile(categories=one, brands=brand)), "new_arrivals"
    )
    assert list(found) == ["i5", "i1", "i2", "i3", "i7", "i8", "i0", "i4", "i6"]
    later = shop.retriever.retrieve(RetrievalQuery(NOW + 25 * DAY, sources={"new_arrivals": 9}))
    assert list(columns(later, "new_arrivals")) == ["i0", "i1", "i2", "i3", "i4", "i5"]
    earlier = shop.retriever.retrieve(RetrievalQuery(NOW - 5 * DAY, sources={"new_arrivals": 2}))
    assert list(columns(earlier, "new_arrivals")) == ["i5", "i6"], (
        "as of an earlier day the newest do not exist"
    )


def test_of_equally_new_arrivals_the_most_alike_come_first() -> None:
    together = [msgspec.structs.replace(i, created=NOW - DAY, category_path=(), brand="") for i in ITEMS]
    shop = Shop(items=together)
    assert set(columns(shop.ask("new_arrivals", 5, profile=history("i4")), "new_arrivals")) == {
        f"i{k}" for k in (0, 2, 4, 6, 8)
    }
    assert set(columns(shop.ask("new_arrivals", 4, profile=history("i3")), "new_arrivals")) == {
        f"i{k}" for k in (1, 3, 5, 7)
    }, "i9 is out of stock"
    # To a stranger none is like anything.
    assert len(set(columns(shop.ask("new_arrivals", 9), "new_arrivals").values())) == 1


def test_where_most_is_new_the_texts_of_a_few_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_arrivals, "_READ", 1)
    monkeypatch.setattr(new_arrivals, "_READ_LEAST", 4)
    found = columns(Shop().ask("new_arrivals", 4, profile=history("i8")), "new_arrivals")
    # The four newest, of them first what is like i8.
    assert list(found) == ["i0", "i2", "i1", "i3"]


def test_search() -> None:
    shop = Shop()
    assert set(columns(shop.ask("search", 9, context=Context(query="Blue MUGS")), "search")) == {
        "i1",
        "i3",
        "i5",
        "i7",
    }
    nothing = shop.ask("search", context=Context(query="👍"))
    assert len(nothing.candidates) == 0
    assert [(d.component, d.code) for d in nothing.degraded] == [("source:search", DegradationCode.EMPTY)]
    assert nothing.degraded[0].message.startswith("no item matches context.query; ")


@pytest.mark.parametrize(
    "source",
    [
        "popular",
        "trending",
        "co_visitation",
        "bought_again",
        "interest",
        "content",
        "new_arrivals",
        "search",
        "follows",
        "visits",
        "seen_again",
        "linear",
    ],
)
def test_every_source_keeps_to_filters_hidden_items_and_limit(source: str) -> None:
    shop = Shop()
    shop.bundle = bundle_for(shop.catalog, interest=1.0)
    shop.buy(**{f"i{k}": k + 1 for k in range(10)})
    profile = replace(
        history(
            "i0", "i1", "i2", "i3", "i7", "i9", purchases=[1, 1, 1, 1, 1, 1], opinion=[0, 0, 0, -1, 0, 0]
        ),
        recent=RecentEvents(("i0", "i3"), np.array([6, 6], np.int8), np.array([NOW - DAY, NOW - 60])),
    )
    context = Context(query="mug") if source == "search" else Context()
    everything = set(columns(shop.ask(source, 50, profile=profile, context=context), source))
    assert everything
    assert not everything & {"i3", "i9"}
    for filters in (
        Filters(exclude=("i2", "i1")),
        Filters(brands=("b1",)),
        Filters(categories=("Home > c2",)),
    ):
        found = shop.ask(source, 50, profile=profile, context=context, filters=filters)
        allowed = {shop.catalog.ids[r] for r in np.flatnonzero(shop.catalog.allowed(filters))} - {"i3"}
        if everything & allowed:
            assert set(columns(found, source)) <= allowed
            assert set(columns(found, source)) >= everything & allowed
    assert len(columns(shop.ask(source, 1, profile=profile, context=context), source)) == 1


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


def test_linear_answers_what_the_history_predicts() -> None:
    shop = Shop()
    found = columns(shop.ask("linear", context=Context(item_ids=("i2", "gone"))), "linear")
    assert found == pytest.approx({"i4": 1.2, "i0": 1.0})
    found = columns(shop.ask("linear", profile=history("i2", "i3", opinion=[0, 0])), "linear")
    assert set(found) == {"i0", "i1", "i4"}
    assert columns(shop.ask("linear", profile=history("i5")), "linear") == {}, "i5 predicts nothing"
    shop.bundle = bundle_for(shop.catalog, co_visitation=False)
    off = shop.ask("linear", profile=history("i2"))
    assert ("source:linear", DegradationCode.OFF) in [(d.component, d.code) for d in off.degraded]


def test_interest_ranks_by_the_product_and_the_context_counts_as_latest() -> None:
    shop = Shop()
    shop.bundle = bundle_for(shop.catalog, interest=1.0)
    even = columns(shop.ask("interest", 50, context=Context(item_ids=("i4",))), "interest")
    assert list(even) == ["i0", "i2", "i4", "i6", "i8"]
    assert np.all(np.diff(list(even.values())) < 0)
    assert max(even.values()) == 1
    odd = columns(shop.ask("interest", 50, context=Context(basket=("i1",))), "interest")
    assert list(odd) == ["i1", "i3", "i5", "i7"], "i9 is newer than the model"
    assert not shop.ask("interest").candidates.item_ids or shop.ask("interest").degraded
    # Logits below zero still order, the least bad first.
    shop.bundle = bundle_for(shop.catalog, interest=-1.0)
    assert list(columns(shop.ask("interest", 50, context=Context(basket=("i1",))), "interest")) == [
        "i7",
        "i5",
        "i3",
        "i1",
    ]


def recently(*ids: str, minutes: tuple[float, ...] = ()) -> Profile:
    """Views, the latest last; a minute apart, or so many minutes ago."""
    ago = np.array(minutes or range(len(ids), 0, -1), float)
    times = NOW - 60 * ago
    return replace(history(*ids), recent=RecentEvents(ids, np.full(len(ids), 2, np.int8), times))


def test_what_follows_counts_from_the_latest_event_and_the_context_is_later_still() -> None:
    shop = Shop()
    found = columns(shop.ask("follows", profile=recently("i0", "i3")), "follows")
    assert found == pytest.approx({"i3": 0.3 + 0.8 * 0.5, "i4": 0.2, "i2": 0.8 * 0.25})
    found = columns(shop.ask("follows", profile=recently("i3", "i0")), "follows")
    assert found == pytest.approx({"i3": 0.5 + 0.8 * 0.3, "i2": 0.25, "i4": 0.8 * 0.2})
    paged = shop.ask("follows", profile=recently("i3"), context=Context(item_ids=("i0",)))
    assert columns(paged, "follows") == found
    again = columns(shop.ask("follows", profile=recently("i0", "i3", "i0")), "follows")
    assert again == pytest.approx(found), "an item counts once, where it came last"


def test_visits_start_from_the_visit_that_goes_on_or_else_from_the_latest_events() -> None:
    shop = Shop()
    both = columns(shop.ask("visits", profile=recently("i3", "i0")), "visits")
    assert set(both) == {"i0", "i1", "i3", "i5", "i6"}, "i9 is out of stock"
    assert max(both, key=lambda item: both[item]) == "i0"
    paused = recently("i3", "i0", minutes=(60, 1))
    assert set(columns(shop.ask("visits", profile=paused), "visits")) == {"i0", "i1", "i6"}
    before = recently("i3", minutes=(60,))
    assert set(columns(shop.ask("visits", profile=before), "visits")) == {"i3", "i5"}


def test_a_visit_of_items_newer_than_the_bundle_leaves_the_word_to_earlier_events() -> None:
    shop = Shop()
    assert shop.bundle is not None
    rows = np.array(shop.bundle.bundle_rows)
    rows[shop.catalog.rows(["i0"])] = -1
    vars(shop.bundle)["bundle_rows"] = rows
    paused = recently("i3", "i0", minutes=(60, 1))
    assert set(columns(shop.ask("visits", profile=paused), "visits")) == {"i3", "i5"}
    newer = columns(shop.ask("follows", profile=recently("i3", "i0")), "follows")
    assert newer == columns(shop.ask("follows", profile=recently("i3")), "follows")


def test_what_was_met_lately_comes_back_latest_first_without_a_bundle() -> None:
    shop = Shop()
    shop.bundle = None
    profile = recently("i1", "i4", "i1", "i9", "i2")
    assert list(columns(shop.ask("seen_again", profile=profile), "seen_again")) == ["i2", "i1", "i4"]
    paged = shop.ask("seen_again", 2, profile=profile, context=Context(item_ids=("i6",)))
    assert list(columns(paged, "seen_again")) == ["i6", "i2"]


def test_factors_find_what_is_like_the_latest_items() -> None:
    found = columns(Shop().ask("factors", 9, profile=recently("i6", "i3")), "factors")
    assert list(found) == ["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8"]
    assert found["i0"] == pytest.approx(1)
    assert found["i5"] == pytest.approx(0.7 * 0.5)


@pytest.mark.parametrize("source", ["follows", "visits", "factors"])
def test_sources_of_order_are_off_without_their_part_and_empty_for_strangers(source: str) -> None:
    shop = Shop()
    shop.buy(i3=1)
    stranger = shop.ask(source)
    assert [d.code for d in stranger.degraded] == [DegradationCode.EMPTY]
    assert columns(stranger, "popular")
    for bundle in (None, shop.bundle):
        if bundle is not None:
            setattr(bundle.bundle, source, None)
        shop.bundle = bundle
        off = shop.ask(source, profile=recently("i0"))
        assert [d.component for d in off.degraded if d.code is DegradationCode.OFF] == [f"source:{source}"]


def test_out_of_stock_is_absent_right_after_the_upsert() -> None:
    shop = Shop()
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


def test_sources_interleave_fairly_and_the_best_stay() -> None:
    shop = Shop()
    shop.buy(i8=3, i6=2, i2=1)
    query = RetrievalQuery(NOW, sources={"co_visitation": 5, "popular": 5}, context=Context(item_ids=("i0",)))
    ids = shop.retriever.retrieve(query).candidates.item_ids
    assert set(ids[:2]) == {"i1", "i8"}
    assert ids[2:] == ["i2", "i6"], "i2 is found by both"
    cut = RetrievalQuery(NOW, sources=query.sources, context=query.context, limit=3)
    assert shop.retriever.retrieve(cut).candidates.item_ids == ids[:3]


def test_what_is_off_is_said() -> None:
    shop = Shop()
    shop.bundle = None
    shop.buy(i1=1)
    answer = shop.retriever.retrieve(RetrievalQuery(NOW, scene="home"))
    assert {d.component for d in answer.degraded} == {
        "source:co_visitation",
        "source:content",
        "source:interest",
    }
    assert {d.code for d in answer.degraded} == {DegradationCode.OFF}
    assert answer.versions.bundle == ""
    assert answer.catalog_revision == shop.store.revision
    undated = Shop([])
    undated.store.upsert([Item(item_id="i1")], None, 0.0)
    degraded = undated.ask("new_arrivals").degraded
    assert (degraded[0].component, degraded[0].code) == ("source:new_arrivals", DegradationCode.OFF)


def test_a_source_that_fails_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop()
    shop.buy(i1=1)
    retriever = shop.retriever

    def fail(*_: object) -> None:
        raise ValueError("secret")

    retriever._sources["co_visitation"].find = fail  # type: ignore[method-assign, assignment]
    answer = retriever.retrieve(RetrievalQuery(NOW, scene="home"))
    assert "i1" in answer.candidates.item_ids
    assert [(d.component, d.code) for d in answer.degraded] == [
        ("source:co_visitation", DegradationCode.FAILED)
    ]
    assert "secret" not in answer.degraded[0].message
    assert "secret" in caplog.text


def test_a_source_whose_model_is_late_is_left_out_and_said_to_be() -> None:
    shop = Shop()
    shop.buy(i1=1)

    def late(*_: object) -> None:
        raise InferenceTimeout("the model did not answer within its time budget")

    retriever = shop.retriever
    retriever._sources["interest"].find = late  # type: ignore[method-assign, assignment]
    answer = retriever.retrieve(RetrievalQuery(NOW, sources={"popular": 5, "interest": 5}))
    assert answer.candidates.item_ids == ["i1"]
    assert [(d.component, d.code) for d in answer.degraded] == [("source:interest", DegradationCode.TIMEOUT)]


def test_somebody_always_stands_in() -> None:
    shop = Shop()
    newest = shop.ask("bought_again")
    assert newest.candidates.item_ids == [f"i{k}" for k in range(9)]
    assert newest.candidates.source_names == ("bought_again", "newest")
    shop.buy(i4=1)
    popular = shop.ask("bought_again")
    assert list(columns(popular, "popular")) == ["i4"]
    assert [(d.component, d.code) for d in popular.degraded] == [("retrieval", DegradationCode.EMPTY)]
    nothing = shop.ask("popular", filters=Filters(brands=("nobody",)))
    assert len(nothing.candidates) == 0
    assert "filters" in nothing.degraded[-1].message


def test_the_newest_that_stand_in_are_not_called_new() -> None:
    """They may have come in years ago: without ranking nobody knows."""
    shop = Shop()
    found = shop.retriever.retrieve(RetrievalQuery(NOW + 1000 * DAY, scene="home"))
    assert len(found.candidates)
    asked = ShopperQuery(Profile(), "home")
    ranked = rank_as_found(asked, load_config().scenes["home"], found, NOW + 1000 * DAY, lambda _: True)
    assert {reason.code for reason in ranked.lists[0].reasons} == {None}


def test_an_empty_catalogue_says_what_to_do() -> None:
    answer = Shop([]).retriever.retrieve(RetrievalQuery(NOW, scene="home"))
    assert len(answer.candidates) == 0
    assert answer.degraded[0].component == "catalog"
    assert "`vitrine load`" in answer.degraded[0].message


def test_unknown_scenes_and_sources_are_named() -> None:
    shop = Shop()
    with pytest.raises(InvalidInput, match=r"scene: unknown scene 'x'; known: home, item_page"):
        shop.retriever.retrieve(RetrievalQuery(NOW, scene="x"))
    with pytest.raises(InvalidInput, match=r"sources\[1\]\.name: .*did you mean 'popular'"):
        shop.retriever.retrieve(RetrievalQuery(NOW, scene="home", sources={"search": 1, "populr": 1}))
    raw = shop.config.model_dump()
    raw["scenes"]["home"]["sources"]["trendy"] = 5
    with pytest.raises(ConfigError, match=r"scenes\.home\.sources: unknown source 'trendy'"):
        Shop(config=Config.model_validate(raw)).retriever  # noqa: B018


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


def test_items_that_are_asked_for_come_last_found_or_not_allowed_or_not() -> None:
    shop = Shop()
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
