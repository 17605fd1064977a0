"""What it costs to call plugins as the host does, beside calling their functions."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
import uvloop
from threadpoolctl import threadpool_limits

from tests.support.world import World
from vitrine.app.offline import OfflineShop
from vitrine.bundle import load_bundle
from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine.domain.candidates import Candidates
from vitrine.domain.subject import Subject
from vitrine.hosting import Calls, Hosted, Leg, Waiter
from vitrine.hosting.breaker import Breaker
from vitrine.hosting.workers import Workers
from vitrine.plugin import Batch, Ranker, Scores
from vitrine.ranking import RankingQuery, Scored, ShopperQuery
from vitrine.ranking.batch import make_batch
from vitrine.ranking.scoring import score
from vitrine.rpc.metrics import Metrics

CANDIDATES = 300
RANKERS = ("cf", "content", "deep", "lightgbm")
ROUNDS = 10
# A tenth of what the rankers take themselves.
BOUND = 0.1


class Timed:
    """A ranker that takes the CPU time of its thread as it scores."""

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker
        self.seconds = 0.0

    def score(self, batch: Batch) -> Scores:
        started = time.thread_time()
        scores = self._ranker.score(batch)
        self.seconds += time.thread_time() - started
        return scores


@dataclass
class Bench:
    """Requests for some shoppers, ranked as a server ranks them."""

    shop: OfflineShop
    queries: list[RankingQuery]

    def __post_init__(self) -> None:
        scene = self.shop.config.scenes["home"]
        self.scene = scene.model_copy(update={"weights": dict.fromkeys(RANKERS[:-1], 1.0)})
        made = self.shop._engine.rankers
        self.timed = {name: Timed(made.hosted[name].target) for name in RANKERS}
        metrics = Metrics()
        hosted = {
            name: Hosted(f"ranker:{name}", timed, 5.0, Breaker(5, 10), metrics)
            for name, timed in self.timed.items()
        }
        self.rankers = replace(made, hosted=hosted)
        self.in_batches = 0.0

    def _batch(self, query: RankingQuery, scores: Mapping[str, Scores]) -> Batch:
        started = time.thread_time()
        batch = make_batch(query, self.shop.memory.store.catalog, self.shop.bundle, scores)
        self.in_batches += time.thread_time() - started
        return batch

    def scored(self, query: RankingQuery, leg: Leg) -> Scored:
        return score(lambda scores: self._batch(query, scores), [self.scene], Calls(self.rankers, leg))

    def directly(self, queries: Sequence[RankingQuery]) -> None:
        """Calls the four functions for each request, and nothing else."""
        for query in queries:
            scores: dict[str, Scores] = {}
            batch = self._batch(query, scores)
            for name in RANKERS:
                scores[name] = self.timed[name].score(batch)

    async def in_thread(self, pool: Executor) -> None:
        """The same, all in a thread: one hand-over for all of them."""
        await asyncio.get_running_loop().run_in_executor(pool, self.directly, self.queries)

    async def handed_over(self, pool: Executor) -> None:
        """The same, each request handed to a thread: what any server pays that does not block its event loop."""
        for query in self.queries:
            await asyncio.get_running_loop().run_in_executor(pool, self.directly, [query])

    async def hosted(self, waiter: Waiter) -> None:
        """As the server does it: each request is handed to a thread, watched, checked and counted."""
        for query in self.queries:

            def work(leg: Leg, query: RankingQuery = query) -> Scored:
                return self.scored(query, leg)

            scored = await waiter.run(work, 5)
            assert tuple(scored.scores) == RANKERS

    async def measured(self, way: Awaitable[None]) -> tuple[float, float]:
        """CPU milliseconds a request of the four functions, and of all of this process beside them and the batch."""
        for timed in self.timed.values():
            timed.seconds = 0.0
        self.in_batches = 0.0
        started = time.process_time()
        await way
        total = time.process_time() - started
        functions = sum(timed.seconds for timed in self.timed.values())
        scale = 1e3 / len(self.queries)
        return functions * scale, (total - functions - self.in_batches) * scale


@pytest.fixture
def bench(world: World) -> Iterator[Bench]:
    shop = OfflineShop.open(Dataset.open(world.data), load_config(), load_bundle(world.bundle))
    ids = shop.memory.store.catalog.ids
    chosen = [ids[i] for i in np.random.default_rng(1).permutation(len(ids))[:CANDIDATES]]
    queries = [
        RankingQuery.single(
            shop.now, ShopperQuery(shop.profile(Subject(user)), "home"), Candidates.of_items(chosen)
        )
        for user in world.shoppers(50)
    ]
    yield Bench(shop, queries)
    shop.close()


@pytest.mark.slow
def test_the_machinery_costs_less_than_a_tenth_of_the_rankers(
    bench: Bench, record_property: Callable[[str, object], None]
) -> None:
    # The loop that the server runs on, and numpy in one thread as in the server: the spinning of idle BLAS threads is CPU time
    # of this process too, eight times what the host takes.
    with threadpool_limits(1), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        total, without = runner.run(machinery(bench))
    said = f"{total:.1%} of the rankers' own CPU, {without:.1%} without the hand-over to a thread"
    print(said)
    record_property("machinery", said)
    assert without < BOUND
    # What the system takes to wake a thread, and the event loop again, is most of it, and doubles beside other processes:
    # on an idle machine all of it stays below the bound, too.
    assert total < 2 * BOUND


async def machinery(bench: Bench) -> tuple[float, float]:
    """What the host takes beside the four functions, as a share of their CPU: in all, and without the hand-over.

    Medians of some rounds.
    """
    total, without = [], []
    with Workers(2) as workers, ThreadPoolExecutor(2) as standard:
        waiter = Waiter(workers)
        for way in (bench.hosted(waiter), bench.in_thread(standard), bench.handed_over(standard)):
            await way
        for _ in range(ROUNDS):
            _, bare = await bench.measured(bench.in_thread(standard))
            _, handed = await bench.measured(bench.handed_over(standard))
            functions, beside = await bench.measured(bench.hosted(waiter))
            total.append((beside - bare) / functions)
            without.append((beside - handed) / functions)
            print(
                f"{functions:.2f} ms in rankers; beside: {bare:.3f} directly, {handed:.3f} handed over, {beside:.3f} hosted"
            )
    return float(np.median(total)), float(np.median(without))
