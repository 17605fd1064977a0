"""Batches with every column filled, and plugins in processes of their own."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from vitrine.config import InferenceConfig, PluginConfig
from vitrine.domain.profile import Counters, ItemHistory, Profile, RecentEvents
from vitrine.domain.request import Context
from vitrine.domain.subject import Subject
from vitrine.features import NoFeatures
from vitrine.hosting.process import IsolatedPlugin
from vitrine.plugin import Batch, FeatureColumns, History, Items, Recent

HEAD = """
import numpy as np
from vitrine.plugin import *
from vitrine.plugin import hookimpl

VITRINE_CONTRACT = 1

class Plain:
    name, version, reason, budget_ms = "plain", "1.0", None, 2000.0
    def __init__(self, settings): self.settings = settings
    def score(self, batch): return -batch.items.price_micros.astype(np.float32)

"""
TAIL = """
@hookimpl
def vitrine_make_ranker(load):
    return Mine(load.settings)
"""

Start = Callable[..., IsolatedPlugin]


def ranker(body: str) -> str:
    """The source of a plugin whose ranker is ``Plain`` with this body (indented by four) over it."""
    return f"{HEAD}\nclass Mine(Plain):\n{body}\n{TAIL}"


def start(name: str, settings: dict[str, Any] | None = None, **config: Any) -> IsolatedPlugin:
    """Starts an installed plugin."""
    return IsolatedPlugin.start(
        name,
        bundle_path=None,
        bundle_version="",
        settings=settings or {},
        config=PluginConfig(isolation="process", **config),
        inference=InferenceConfig(),
    )


def make_batch(
    sizes: tuple[int, ...] = (3,), *, query: str = "", features: FeatureColumns | None = None, seed: int = 0
) -> Batch:
    """One query of each size; candidates, histories and profiles with a value in every column."""
    rng = np.random.default_rng(seed)
    n, q = sum(sizes), len(sizes)
    lengths = rng.integers(1, 9, q)
    h = int(lengths.sum())

    def ids(count: int, kind: str) -> list[str]:
        return [f"{kind}-{i}-é杯" for i in range(count)]

    def i4(count: int) -> Any:
        return rng.integers(-1, 99, count).astype(np.int32)

    def f4(*shape: int) -> Any:
        values = rng.random(shape, np.float32)
        values[values < 0.2] = np.nan
        return values

    items = Items(
        ids(n, "item"),
        i4(n),
        i4(n),
        rng.integers(0, 1 << 40, n),
        rng.random(n) * 1e9,
        i4(n),
        i4(n),
        f4(n),
        f4(n),
    )
    history = History(
        np.concatenate(([0], np.cumsum(lengths))),
        ids(h, "past"),
        i4(h),
        i4(h),
        rng.random(h),
        rng.random(h) > 0.5,
    )

    def counters(kind: str) -> Counters:
        size = int(rng.integers(0, 5))
        return Counters(ids(size, kind), *(rng.random(size) for _ in range(4)))

    def profile(number: int) -> Profile:
        size, recent = int(rng.integers(0, 60)), int(rng.integers(0, 30))
        return Profile(
            subject=[Subject("u"), Subject("v", True), None][number % 3],
            version=1 << 40,
            watermark=7,
            event_count=9,
            first_time=1.5,
            last_time=2.5,
            purchase_days=3,
            items=ItemHistory(
                ids(size, "own"),
                last_time=rng.random(size),
                last_purchase=rng.random(size),
                views=rng.random(size),
                in_cart=rng.random(size),
                purchases=rng.random(size),
                quantity=rng.random(size),
                long_term=rng.random(size),
                short_term=rng.random(size),
                rating=f4(size),
                opinion=rng.integers(-1, 2, size).astype(np.int8),
            ),
            recent=RecentEvents(
                ids(recent, "event"), rng.integers(0, 9, recent).astype(np.int8), rng.random(recent)
            ),
            event_types=counters("type"),
            categories=counters("category"),
            brands=counters("brand"),
            price_bands=counters("band"),
            long_half_life=4.0,
            short_half_life=5.0,
        )

    return Batch(
        request_time=1.75e9,
        offsets=np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))).astype(np.int64),
        items=items,
        history=history,
        recent=Recent(
            offsets=history.offsets,
            rows=history.rows,
            bundle_rows=history.bundle_rows,
            steps=np.arange(len(history.rows), dtype=np.int32),
            visit=history.purchased,
        ),
        profiles=[profile(number) for number in range(q)],
        contexts=[Context(("p",), ("b", "c"), query, "zh", "web") for _ in range(q)],
        scenes=["home"] * q,
        source_names=("popular", "new"),
        source_scores=f4(n, 2),
        scores={"cf": f4(n), "deep": f4(n)},
        features=features or NoFeatures(),
    )


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits until something is true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.02)
