"""What ten times the catalogue costs: CPU per request, recall of the search, memory; a process of its own."""

import json
import time
from collections import defaultdict
from contextlib import ExitStack
from statistics import median
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from tests.load.asking import Asked, asked, parser
from tests.load.large import Large, Vectors
from vitrine.app.shop import Stores
from vitrine.bundle import load_bundle
from vitrine.bundle.near import NearIndex
from vitrine.config import load_config
from vitrine.domain.request import NO_CONTEXT, NO_FILTERS
from vitrine.retrieval import RetrievalQuery
from vitrine.retrieval.nearest import nearest
from vitrine.retrieval.query import toward

# Requests of a round, before the first, and of all; those that are compared with exact search.
_ROUND, _WARM, _ROUNDS, _SHOPPERS, _COMPARED = 25, 50, 7, 5_000, 100
# The best so many; products so near are equal.
_BEST, _SAME = 200, 1e-5


def cpu(
    larges: dict[int, Large], stores: Stores, asks: list[Asked], now: float, seconds: float
) -> dict[int, float]:
    """Milliseconds per request by catalogue, in turns, so that all meet the same machine; medians of rounds."""
    bares = {times: large.bare(stores, now) for times, large in larges.items()}
    spent: dict[int, list[float]] = {times: [] for times in larges}
    until, start, rounds = time.monotonic() + seconds * len(larges), 0, 0
    while rounds < _ROUNDS or time.monotonic() < until:
        part = [asks[(start + i) % len(asks)] for i in range(_ROUND if start else _WARM)]
        for subject, _ in part:
            stores.profiles.get(subject)
        for times, bare in bares.items():
            began = time.process_time()
            for _, query in part:
                bare.window(query)
            if start:
                spent[times].append(1000 * (time.process_time() - began) / len(part))
        rounds += start > 0
        start += len(part)
    return {times: median(found) for times, found in spent.items()}


def sources(large: Large, stores: Stores, asks: list[Asked], now: float) -> dict[str, float]:
    """Median CPU milliseconds of each stage of retrieval."""
    spent: dict[str, list[float]] = defaultdict(list)
    for subject, query in asks:
        profile = stores.profiles.get(subject)
        for stage in large.retriever.retrieve(RetrievalQuery(now, profile, scene=query.scene)).stages:
            spent[stage.name].append(1000 * stage.cpu)
    return {name: round(median(each), 2) for name, each in spent.items()}


class Compared(NamedTuple):
    """Searches for shoppers beside exact ones: mean share of the best 200 found, and median CPU milliseconds of both."""

    recall: float
    by_lists: float
    exact: float


def compared(large: Large, stores: Stores, asks: list[Asked], now: float) -> dict[str, Compared]:
    """What searches by lists find and cost, by table; equal products count alike."""
    catalog, attached = large.catalog, large.attached
    content, vectors = attached.content, attached.interest_vectors
    chosen: Any = SimpleNamespace(allowed=catalog.sellable, selection=catalog.selection(NO_FILTERS))
    found: dict[str, list[Compared]] = {"content": [], "interest": []}

    def compare(name: str, table: Vectors | None, near: NearIndex, target: Vectors) -> None:
        if table is None or near.made is None or not target.any():
            return
        moments = [time.thread_time()]
        rows, _ = nearest(table, target, chosen, _BEST, near.made)
        moments.append(time.thread_time())
        nearest(table, target, chosen, _BEST)
        moments.append(time.thread_time())
        scores = table @ target
        floor = np.partition(scores[chosen.allowed], -_BEST)[-_BEST]
        share = min(np.count_nonzero(scores[rows] >= floor - _SAME) / _BEST, 1.0)
        found[name].append(Compared(share, *(1000 * np.diff(moments)).tolist()))

    for subject, _ in asks:
        profile = stores.profiles.get(subject)
        rows = catalog.rows(profile.items.item_ids)
        known = rows >= 0
        interests = attached.interests((profile,), (NO_CONTEXT,), now)
        if content is None or interests is None:
            raise RuntimeError("the shop's bundle has no content or interest")
        wanted = toward(content, rows[known], profile.interest(now)[known])
        compare("content", content, attached.near_content, wanted)
        compare("interest", vectors, attached.near_interest, interests.interest[0])
    return {
        name: Compared(
            float(np.mean([e.recall for e in each])),
            median(e.by_lists for e in each),
            median(e.exact for e in each),
        )
        for name, each in found.items()
        if each
    }


def main() -> None:
    """Prints what was measured as a line of JSON."""
    reading = parser(__doc__, seconds=2.0)
    reading.add_argument("--times", type=int, nargs="+", default=[1, 5, 10])
    options = reading.parse_args()
    now, config = options.as_of.timestamp(), load_config()
    with ExitStack() as closing:
        closing.enter_context(threadpool_limits(1))
        asks = list(asked(options.data, _SHOPPERS))
        stores = closing.enter_context(Stores.open(options.store, config, lambda: now))
        bundle = load_bundle(options.bundle, config.inference)
        larges = {times: Large(stores, bundle, config, times, now) for times in options.times}
        some = asks[:_COMPARED]
        found: dict[str, dict[int, Any]] = {
            "cpu_ms": cpu(larges, stores, asks, now, options.seconds),
            "sources": {times: sources(large, stores, some, now) for times, large in larges.items()},
            "searches": {times: compared(large, stores, some, now) for times, large in larges.items()},
            "memory": {times: large.memory for times, large in larges.items()},
            "seconds": {times: large.seconds for times, large in larges.items()},
        }
        by_items = {
            name: {len(larges[times].catalog): each for times, each in table.items()}
            for name, table in found.items()
        }
        print(json.dumps(by_items))


if __name__ == "__main__":
    main()
