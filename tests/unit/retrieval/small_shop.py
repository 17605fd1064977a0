"""A shop of ten items, and shoppers of it, to ask sources about."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from tests.support.shop import dense
from vitrine.bundle import AttachedBundle, Factors, Visits
from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.config import Config, load_config
from vitrine.domain.candidates import Retrieved
from vitrine.domain.events import Activity
from vitrine.domain.items import Availability, Item
from vitrine.domain.profile import DAY, ItemHistory, Profile
from vitrine.interest import InterestModel
from vitrine.interest.reading import InterestReader
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.query import RetrievalQuery
from vitrine.retrieval.retriever import Retriever

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
    """A catalogue, what is popular in it and a bundle, all in memory; each may be replaced."""

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
