"""What a recommendation costs without a server, and what its kernels cost without a pipeline; a process of its own.

The bare pipeline is what `Recommend` does between the decoded request and the window, in a plain loop in one thread:
profile from memory, candidates, order, window. Its kernels are what no Python can make cheaper: searches for the nearest
vectors, runs of networks, predictions of trees. They are recorded as the pipeline runs and then called alone, on the same
inputs and in the same order.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from secrets import token_hex
from statistics import median
from typing import Any

from threadpoolctl import threadpool_limits

from tests.load.asking import asked, parser
from tests.load.kernels import Recorder
from vitrine.app.shop import Shop
from vitrine.config import load_config
from vitrine.domain.events import Event, EventType
from vitrine.domain.profile import Profile
from vitrine.ranking import RankingQuery, ShopperQuery
from vitrine.recommendation.query import WindowItem, WindowQuery
from vitrine.recommendation.recommender import window_items
from vitrine.retrieval import RetrievalQuery

# Requests of a round; the pipeline and its kernels take turns, round by round.
ROUND = 40
_WARM = 200
_READS_PER_EVENT = 10
_ROUNDS = 5


class Bare:
    """The pipeline over a shop.

    Args:
        shop: The shop.
        now: The moment of the first request, Unix seconds; each comes a tenth of a second after the one before.

    Attributes:
        spent: Stage -> seconds of CPU since somebody looked.
    """

    def __init__(self, shop: Shop, now: float) -> None:
        generations = shop.reloader.generations
        self._retriever, self._engine = generations.retriever(""), generations.engine("")
        self._profiles = shop.stores.profiles
        self._now = now
        self.spent: dict[str, float] = defaultdict(float)

    def profile(self, query: WindowQuery) -> Profile:
        """Who asks; in memory from then on."""
        subject = query.subject
        assert subject is not None
        return self._profiles.peek(subject) or self._profiles.get(subject)

    def view(self, query: WindowQuery, item: str) -> None:
        """A new event of who asks, on disk and counted when this returns."""
        assert query.subject is not None
        event = Event(
            event_id=token_hex(8),
            subject=query.subject.key,
            item_id=item,
            type=EventType.VIEW,
            time=self._now,
        )
        self._profiles.record([event], now=self._now).result()

    def window(self, query: WindowQuery) -> list[WindowItem]:
        """The window of a request; `spent` has its stages, too, from then on."""
        self._now += 0.1
        profile = self.profile(query)
        found = self._retriever.retrieve(
            RetrievalQuery(self._now, profile, query.context, query.filters, query.scene)
        )
        shopper = ShopperQuery(profile, query.scene, query.context, query.limit)
        wanted = RankingQuery.single(self._now, shopper, found.candidates, found.versions.bundle)
        ranked = self._engine.rank(wanted)
        for stage in (*found.stages, *ranked.stages):
            self.spent[stage.name] += stage.cpu
        return window_items(query, found.candidates, ranked)


def measure(bare: Bare, recorder: Recorder, queries: Iterator[WindowQuery], seconds: float) -> dict[str, Any]:
    """CPU milliseconds per request of the pipeline, of each of its stages and of each kernel; medians over rounds.

    And how often each kernel is called for a request: a network that runs twice makes the pipeline look no worse beside it.

    The stream of shoppers goes on and never back, and between rounds one event is recorded for each ten requests: what
    the pipeline remembers helps no more than it would in life. Profiles are in memory before a round begins.
    """
    for query in islice(queries, _WARM):
        bare.window(query)
    pipeline: list[float] = []
    kernels: dict[str, list[float]] = defaultdict(list)
    stages: dict[str, list[float]] = defaultdict(list)
    times: dict[str, int] = defaultdict(int)
    until = time.monotonic() + seconds
    while len(pipeline) < _ROUNDS or time.monotonic() < until:
        part = list(islice(queries, ROUND))
        for query in part:
            bare.profile(query)
        recorder.kept = defaultdict(list)
        bare.spent.clear()
        began = time.process_time()
        windows = [bare.window(query) for query in part]
        pipeline.append(time.process_time() - began)
        kept, recorder.kept = recorder.kept, None
        for name, spent in bare.spent.items():
            stages[name].append(spent)
        for name, calls in kept.items():
            times[name] += len(calls)
            began = time.process_time()
            for call in calls:
                call()
            kernels[name].append(time.process_time() - began)
        for query, window in list(zip(part, windows, strict=True))[::_READS_PER_EVENT]:
            bare.view(query, window[-1].item_id)
    return {
        "cpu_ms": 1000 * median(pipeline) / ROUND,
        "stages": {name: 1000 * median(spent) / ROUND for name, spent in stages.items()},
        "kernels": {name: 1000 * median(spent) / ROUND for name, spent in kernels.items()},
        "calls": {name: count / (ROUND * len(pipeline)) for name, count in times.items()},
        "requests": ROUND * len(pipeline),
    }


def main() -> None:
    """Prints what was measured as a line of JSON."""
    options = parser(__doc__, seconds=5.0).parse_args()
    now = options.as_of.timestamp()
    with ExitStack() as closing:
        closing.enter_context(threadpool_limits(1))
        queries = (ask.query for ask in asked(options.data, 200_000))
        shop = Shop.open(options.store, options.bundle, load_config(), lambda: now, closing)
        recorder = Recorder()
        recorder.install()
        print(json.dumps(measure(Bare(shop, now), recorder, queries, options.seconds)))


if __name__ == "__main__":
    main()
