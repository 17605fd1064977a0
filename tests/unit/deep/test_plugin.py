"""The ranker `deep`: what it feeds the bundle's network, and what it does without one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import vitrine_deep
from tests.support.models import deep_model, interest_model, interest_table
from tests.support.small_bundle import ITEMS, write_small_bundle
from vitrine.bundle import AttachedBundle, ModelFile, load_bundle
from vitrine.catalog import Catalog
from vitrine.config import SceneConfig, load_config
from vitrine.domain.answer import DegradationCode
from vitrine.domain.candidates import Candidates
from vitrine.domain.events import EventType
from vitrine.domain.items import Item
from vitrine.domain.profile import ItemHistory, Profile, RecentEvents
from vitrine.errors import InferenceTimeout
from vitrine.features import keys_of
from vitrine.hosting import discover
from vitrine.interest.inputs import shoppers_of
from vitrine.plugin import Batch, LoadContext, MissingData
from vitrine.ranking import RankingEngine, RankingQuery, Scored, ShopperQuery
from vitrine_export.neural import export_onnx
from vitrine_export.train.deep.network import DeepNetwork, crosses
from vitrine_export.train.interest_columns import CollectedInterests

NOW = 1_000_000.0
FEATURES = ("item.popularity", "history.purchases", "ranker:content.share")
SCENE = SceneConfig(sources={"popular": 10}, weights={"content": 1.0, "deep": 1.0})


def reader_of_interests() -> ModelFile:
    """An untrained network that reads vectors of four numbers."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(16, 3)).astype(np.float32)
    features[::4, 1] = np.nan
    vectors = {name: rng.normal(size=(16, 4)).astype(np.float32) for name in ("item", "short", "long")}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        seen = crosses(*(torch.from_numpy(v) for v in vectors.values())).numpy()
        network = DeepNetwork(features, seen, (8,), 0.0)
    return export_onnx(
        "deep",
        network,
        {"features": features, **vectors},
        ("score",),
        tolerance=1e-4,
        features=keys_of(FEATURES),
    )


@pytest.fixture(scope="module")
def model() -> ModelFile:
    return reader_of_interests()


def attached(path: Path, *models: ModelFile, interest: bool = True) -> AttachedBundle:
    write_small_bundle(
        path,
        models=[*models, *([interest_model()] if interest else [])],
        interest=interest_table(len(ITEMS), content=4) if interest else None,
    )
    catalog = Catalog(0)
    # One item is newer than the bundle.
    catalog.apply([*ITEMS, Item(item_id="new", title="blue tea mug")], 1)
    return AttachedBundle(load_bundle(path), catalog)


def shopper(*items: str) -> Profile:
    n = len(items)
    ones = np.ones(n)
    return Profile(
        event_count=n,
        first_time=NOW - 5000,
        last_time=NOW - 100,
        items=ItemHistory(
            list(items),
            last_time=NOW - 100 * ones,
            last_purchase=NOW - 100 * ones,
            views=ones,
            in_cart=0 * ones,
            purchases=ones,
            quantity=ones,
            long_term=ones,
            short_term=ones,
            rating=np.full(n, np.nan, np.float32),
            opinion=np.zeros(n, np.int8),
        ),
        recent=RecentEvents(
            list(items), np.full(n, EventType.VIEW, np.int8), np.linspace(NOW - 900, NOW - 100, n)
        ),
    )


def scored(bundle: AttachedBundle, *shoppers: Profile, scene: SceneConfig = SCENE) -> Scored:
    catalog = bundle.catalog
    assert isinstance(catalog, Catalog)
    config = load_config().model_copy(update={"scenes": {"home": scene}})
    engine = RankingEngine(catalog, bundle, config, discover())
    ids = ["red", "blue", "杯", "nothing", "new", "unknown"]
    found = np.tile(np.linspace(1, 0.5, len(ids), dtype=np.float32), len(shoppers))[:, None]
    candidates = Candidates(
        ids * len(shoppers), ("popular",), np.ones(len(found), np.uint32), found, popularity=found[:, 0]
    )
    offsets = np.arange(len(shoppers) + 1, dtype=np.int64) * len(ids)
    queries = tuple(ShopperQuery(profile, "home") for profile in shoppers)
    return engine.score(RankingQuery(NOW, queries, candidates, offsets), [scene] * len(shoppers))


def expected(
    bundle: AttachedBundle, batch: Batch, *, interests: bool
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """What the network says when every row is fed by hand."""
    network, interest, table = (
        bundle.bundle.models["deep"].onnx,
        bundle.bundle.interest,
        bundle.interest_vectors,
    )
    catalog = bundle.catalog
    scores = []
    features = batch.features.matrix(FEATURES)
    for i, item in enumerate(batch.items.ids):
        feeds = {name: np.zeros((1, 4), np.float32) for name in ("item", "short", "long")}
        if interests:
            assert interest is not None
            assert table is not None
            q = int(np.searchsorted(batch.offsets, i, "right")) - 1
            shoppers = shoppers_of([batch.profiles[q]], [batch.contexts[q]], NOW, catalog.rows)
            told = interest.encode(shoppers, table)
            row = int(catalog.rows([item])[0])
            if row >= 0:
                feeds["item"] = table[row : row + 1]
            feeds |= {"short": told.short, "long": told.long}
        scores.append(network.run({"features": features[i : i + 1], **feeds})["score"][0])
    return np.array(scores, np.float32)


def test_rows_of_several_shoppers_go_through_the_network_together(tmp_path: Path, model: ModelFile) -> None:
    bundle = attached(tmp_path / "b", model)
    answer = scored(bundle, shopper("red", "blue"), shopper(), shopper("杯"))
    assert not answer.degraded
    scores = answer.scores["deep"]
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected(bundle, answer.batch, interests=True), rtol=1e-4, atol=1e-5)
    # The vectors matter, and an item that is newer than the bundle has one.
    without = expected(bundle, answer.batch, interests=False)
    assert (np.abs(scores[:6] - without[:6]) > 1e-4)[[0, 1, 2, 4]].all()


def test_a_network_that_reads_interests_goes_on_without_an_interest_model(
    tmp_path: Path, model: ModelFile
) -> None:
    bundle = attached(tmp_path / "b", model, interest=False)
    answer = scored(bundle, shopper("red", "blue"), shopper())
    assert not answer.degraded
    np.testing.assert_allclose(
        answer.scores["deep"], expected(bundle, answer.batch, interests=False), rtol=1e-4, atol=1e-5
    )


def test_features_alone_are_enough_for_a_network_that_reads_no_more(tmp_path: Path) -> None:
    bundle = attached(tmp_path / "b", deep_model(FEATURES))
    answer = scored(bundle, shopper("red"))
    wanted = bundle.bundle.models["deep"].onnx.run({"features": answer.batch.features.matrix(FEATURES)})[
        "score"
    ]
    np.testing.assert_array_equal(answer.scores["deep"], wanted)


def test_many_threads_get_what_one_gets(tmp_path: Path, model: ModelFile) -> None:
    bundle = attached(tmp_path / "b", model)
    shoppers = [shopper("red", "blue"), shopper("杯"), shopper()]
    alone = [scored(bundle, one).scores["deep"] for one in shoppers]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda i: scored(bundle, shoppers[i % 3]).scores["deep"], range(60)))
    for i, scores in enumerate(together):
        np.testing.assert_allclose(scores, alone[i % 3], rtol=1e-4, atol=1e-5)


def test_a_bundle_without_the_network_is_told(tmp_path: Path) -> None:
    bundle = attached(tmp_path / "b")
    with pytest.raises(MissingData, match="has no network 'deep'"):
        vitrine_deep.vitrine_make_ranker(LoadContext(bundle, {}))
    with pytest.raises(MissingData, match="has no network 'deep'"):
        vitrine_deep.vitrine_make_ranker(LoadContext(None, {}))
    answer = scored(bundle, shopper("red"))
    assert [(d.component, d.code) for d in answer.degraded] == [("ranker:deep", DegradationCode.OFF)]


def test_a_network_that_takes_something_else_is_told(tmp_path: Path) -> None:
    bundle = attached(tmp_path / "b", replace(interest_model(), name="deep"))
    with pytest.raises(MissingData, match="takes recent, types, ages, history"):
        vitrine_deep.vitrine_make_ranker(LoadContext(bundle, {}))


def test_training_is_told_the_vectors_that_serving_reads(tmp_path: Path, model: ModelFile) -> None:
    bundle = attached(tmp_path / "b", model)
    collected = CollectedInterests(bundle.interest_vectors)
    batches = [scored(bundle, shopper("red", "blue"), shopper()).batch, scored(bundle, shopper("杯")).batch]
    for batch in batches:
        collected.add(batch)
    columns = collected.columns()
    assert columns is not None
    assert len(columns.table) == 5
    ranker = vitrine_deep.vitrine_make_ranker(LoadContext(bundle, {}))
    served = [np.concatenate(parts) for parts in zip(*(ranker._vectors(b) for b in batches), strict=True)]
    lists = np.repeat([0, 1, 2], 6)
    learned = (columns.items(np.arange(18)), columns.short[lists], columns.long[lists])
    for mine, theirs in zip(learned, served, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert served[0].any(axis=1).tolist() == [True, True, True, True, True, False] * 3
    assert served[1].any(axis=1).tolist() == [True] * 6 + [False] * 6 + [True] * 6


def test_a_network_goes_on_where_the_interest_model_hangs_and_waits_for_it_once(
    tmp_path: Path, model: ModelFile
) -> None:
    bundle = attached(tmp_path / "b", model)
    asked: list[object] = []

    class Hanging:
        def run(self, feeds: object, *, budget: float | None = None) -> dict[str, np.ndarray]:
            asked.append(feeds)
            raise InferenceTimeout("too late")

    assert bundle.bundle.interest is not None
    bundle.bundle.interest._encoder = Hanging()
    scene = SceneConfig(sources={"popular": 10}, weights={"content": 1.0, "interest": 1.0, "deep": 1.0})
    answer = scored(bundle, shopper("red", "blue"), scene=scene)
    assert [(d.component, d.code) for d in answer.degraded] == [("ranker:interest", DegradationCode.TIMEOUT)]
    assert len(asked) == 1
    np.testing.assert_allclose(
        answer.scores["deep"], expected(bundle, answer.batch, interests=False), rtol=1e-4, atol=1e-5
    )


def test_it_runs_after_the_rankers_that_it_reads_wherever_it_is_listed(
    tmp_path: Path, model: ModelFile
) -> None:
    bundle = attached(tmp_path / "b", model)
    first = SceneConfig(sources={"popular": 10}, weights={"deep": 1.0, "content": 1.0})
    one, other = (scored(bundle, shopper("red", "blue"), scene=scene) for scene in (SCENE, first))
    assert list(one.scores) == list(other.scores) == ["content", "deep"]
    np.testing.assert_array_equal(one.scores["deep"], other.scores["deep"])


def test_it_reads_columns_of_plugins_and_goes_on_without_them(tmp_path: Path) -> None:
    names = (*FEATURES, "plugin:season.fits", "plugin:content.more")
    bundle = attached(tmp_path / "b", deep_model(names))
    ranker = vitrine_deep.vitrine_make_ranker(LoadContext(bundle, {}))
    assert ranker.after == ("content", "season")
    answer = scored(bundle, shopper("red"))
    told = {d.component: d.code for d in answer.degraded}
    assert told == {"features:season": DegradationCode.OFF, "features:content": DegradationCode.OFF}
    assert np.isnan(answer.batch.features.matrix(names)[:, 3:]).all()
    assert np.isfinite(answer.scores["deep"]).all()
