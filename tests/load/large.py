"""A shop whose catalogue is several times as large: its items again and again, each time a little different."""

import time
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from tests.load.bare import Bare
from tests.load.memory import resident
from vitrine.app.shop import Stores
from vitrine.bundle import AttachedBundle, Bundle, ContentModel, ItemItem, Visits
from vitrine.catalog import Catalog
from vitrine.config import Config
from vitrine.domain.events import Activity, EventType
from vitrine.hosting import discover
from vitrine.interest import InterestModel
from vitrine.ranking import RankingEngine
from vitrine.retrieval import Popularity, Retriever

Vectors = npt.NDArray[np.float32]
# How far a copy's vector lies from the first one's, as a share of its length: about as far as neighbours do.
_APART = 0.15
_CHUNK = 10_000
_EVENTS_PER_ITEM = 3


class Large:
    """The parts of a server over a catalogue that is ``times`` as large; the shoppers are the shop's own.

    Attributes:
        catalog: The catalogue.
        attached: The bundle, as large.
        retriever: Finds among them.
        engine: Orders what is found.
        memory: Bytes that this process grew by with each part.
        seconds: CPU that the making of each part took.
    """

    def __init__(self, stores: Stores, bundle: Bundle, config: Config, times: int, now: float) -> None:
        self.memory: dict[str, int] = {}
        self.seconds: dict[str, float] = {}
        self._resident, self._spent = resident(), time.process_time()
        rng = np.random.default_rng(times)
        self.catalog = Catalog(config.seed)
        items = stores.catalog
        for copy in range(times):
            for start in range(0, len(items), _CHUNK):
                rows = range(start, min(start + _CHUNK, len(items)))
                chunk = [
                    msgspec.structs.replace(i, item_id=_id(i.item_id, copy)) for i in map(items.item, rows)
                ]
                self.catalog.apply(chunk, len(self.catalog) + len(chunk))
        self._grew("catalogue")
        larger = enlarged(bundle, times, rng)
        self._grew("bundle")
        self.attached = AttachedBundle(larger, self.catalog, background=True)
        self._grew("live vectors")
        self.attached.wait(600)
        self._grew("search lists")
        popularity = Popularity(
            self.catalog,
            config.retrieval.popular_half_life_days * 86400,
            config.retrieval.trending_half_life_days * 86400,
        )
        popularity.feed(activity(self.catalog.ids, rng, now))
        self._grew("popularity")
        self.retriever = Retriever(self.catalog, popularity, self.attached, config, stores.items)
        self.engine = RankingEngine(self.catalog, self.attached, config, discover(apart=config.runs_apart))
        self._grew("plugins")

    def bare(self, stores: Stores, now: float) -> Bare:
        """The pipeline over it in a plain loop, for the shoppers of some stores."""
        generations = SimpleNamespace(retriever=lambda _: self.retriever, engine=lambda _: self.engine)
        shop: Any = SimpleNamespace(reloader=SimpleNamespace(generations=generations), stores=stores)
        return Bare(shop, now)

    def _grew(self, part: str) -> None:
        before, self._resident = self._resident, resident()
        began, self._spent = self._spent, time.process_time()
        self.memory[part] = self._resident - before
        self.seconds[part] = round(self._spent - began, 1)


def enlarged(bundle: Bundle, times: int, rng: np.random.Generator) -> Bundle:
    """The bundle of ``times`` as many items. Neighbours of a copy are copies of its neighbours, any of them."""
    ids = [_id(i, copy) for copy in range(times) for i in bundle.item_ids]
    content, interest, visits = bundle.content, bundle.interest, bundle.visits
    if content is None or interest is None or visits is None:
        raise RuntimeError("the shop's bundle has no content, interest or visits")
    return replace(
        bundle,
        item_ids=ids,
        text_hashes=np.tile(bundle.text_hashes, times),
        co_visitation=_neighbours(bundle.co_visitation, times, rng),
        linear=_neighbours(bundle.linear, times, rng),
        follows=_neighbours(bundle.follows, times, rng),
        content=ContentModel(_copies(content.vectors, times, rng), content.encoder),
        interest=InterestModel(
            bundle.models["interest"].onnx,
            _copies(interest.vectors, times, rng),
            interest.projection,
            interest.length,
        ),
        visits=_visits(visits, times),
    )


def activity(ids: Sequence[str], rng: np.random.Generator, now: float) -> Activity:
    """Views of the last days, as many to an item whatever the catalogue; a few items have most of them (Zipf)."""
    count = _EVENTS_PER_ITEM * len(ids)
    weights = np.arange(1, len(ids) + 1) ** -0.8
    rows = rng.permutation(len(ids))[rng.choice(len(ids), count, p=weights / weights.sum())]
    return Activity(
        [ids[row] for row in rows.tolist()],
        np.full(count, EventType.VIEW, np.int8),
        np.sort(now - 30 * 86400 * rng.random(count)),
        np.ones(count),
        1,
    )


def _id(item_id: str, copy: int) -> str:
    return f"{item_id}~{copy}" if copy else item_id


def _copies(vectors: Vectors, times: int, rng: np.random.Generator) -> Vectors:
    """The first as they are, the others beside them at the same length."""
    n = len(vectors)
    out = np.tile(vectors, (times, 1))
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    for copy in range(1, times):
        apart = rng.standard_normal(vectors.shape, np.float32)
        apart *= _APART * length / np.linalg.norm(apart, axis=1, keepdims=True)
        moved = vectors + apart
        new = np.linalg.norm(moved, axis=1, keepdims=True)
        out[copy * n : (copy + 1) * n] = moved * (length / np.where(new > 0, new, 1))
    return out


def _neighbours(one: ItemItem | None, times: int, rng: np.random.Generator) -> ItemItem | None:
    if one is None:
        return None
    n, entries = len(one), len(one.indices)
    starts = [one.indptr[:-1] + copy * entries for copy in range(times)]
    indptr = np.concatenate([*starts, [times * entries]])
    # Each copy leads to copies at random; the tiles are no shops of their own.
    tile = rng.integers(times, size=times * entries).astype(np.int32)
    return ItemItem(indptr, np.tile(one.indices, times) + tile * np.int32(n), np.tile(one.weights, times))


def _visits(one: Visits, times: int) -> Visits:
    n, entries = one.item_count, len(one.items)
    indptr = np.concatenate([*(one.indptr[:-1] + copy * entries for copy in range(times)), [times * entries]])
    tile = np.repeat(np.arange(times, dtype=np.int32), entries)
    return Visits(indptr, np.tile(one.items, times) + tile * np.int32(n), times * n)
