"""All workers that are up serve the same bundle and go by the same configuration, whatever one of them does."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from tests.unit.app.workers.helpers import Kept, Worker, make_pool, settle
from vitrine.app.watch import Watch
from vitrine.app.workers import switching
from vitrine.app.workers.messages import Reloaded
from vitrine.app.workers.pool import Pool
from vitrine.app.workers.reloads import EveryBundle, EveryConfig
from vitrine.app.workers.switching import Wanted, encoded
from vitrine.bundle.manifest import MANIFEST
from vitrine.config import Config, load_config
from vitrine.errors import BundleError, BundleRefused, ConfigError, ConfigRefused, Timeout, Unavailable
from vitrine.rpc.metrics import Metrics

pytestmark = pytest.mark.usefixtures("_no_processes")

T = TypeVar("T")


class Shop:
    """Workers, and what they serve.

    Attributes:
        kept: What was read, in the order in which it was.
        refused: Why the folder cannot be read.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.kept: list[Kept] = []
        self.refused: Exception | None = None
        self._root = folder
        self.config = load_config()
        self.own = SimpleNamespace(config=self.config, use=self._use)
        self.wanted = Wanted(self.config, self._keep(folder))
        self.pool = make_pool(size, self.wanted)

    async def open(self) -> "Shop":
        await self.pool.open()
        self.bundle = EveryBundle(self._root, self._keep, self.wanted, self.pool, Metrics(), None)
        self.every = EveryConfig(cast("Any", self.own), self.wanted, self.pool)
        return self

    def _keep(self, _: Path) -> Any:
        if self.refused is not None:
            raise self.refused
        self.kept.append(Kept(["one", "two", "three"][len(self.kept)]))
        return self.kept[-1]

    def _use(self, config: Config) -> None:
        if self.refused is not None:
            raise self.refused
        self.own.config = config


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Any]:
    return lambda size=2: Shop(tmp_path, size).open()


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    async with asyncio.timeout(2):
        return await asyncio.to_thread(work, *arguments)


def serving(pool: Pool) -> set[str]:
    return {worker.version for worker in cast("list[Any]", pool.up()) if not worker.killed}


async def test_all_switch_and_what_comes_later_loads_what_they_serve(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "BEFORE_SECONDS", 1.0)
    shop = await make()
    done = await in_thread(shop.bundle.reload)
    assert (done.version, done.previous_version, done.switched) == ("two", "one", True)
    assert serving(shop.pool) == {"two"}
    # The folder is broken since; a worker that comes back does not look at it.
    Worker.made[0].end()
    await settle(lambda: len(shop.pool.up()) == 2)
    assert Worker.made[2].start_message is not None
    assert Worker.made[2].start_message.bundle == "/proc/two"
    # Of what was served before, the last can be loaded for a while.
    assert [kept.closed for kept in shop.kept] == [False, False]
    await in_thread(shop.bundle.reload)
    assert [kept.closed for kept in shop.kept] == [True, False, False]
    await settle(lambda: shop.kept[1].closed)
    assert not shop.kept[2].closed
    assert shop.wanted.before is None
    await shop.pool.close()


@pytest.mark.parametrize(
    ("what", "reason", "says"),
    [
        (Reloaded(reason="INVALID_BUNDLE", text="it is damaged"), "INVALID_BUNDLE", "it is damaged"),
        (Timeout("worker 1 was not ready within 300 s"), "NOT_READY", "within 300 s"),
        (Unavailable("worker 1 ended"), "NOT_READY", "worker 1 ended"),
    ],
)
async def test_what_the_first_cannot_serve_no_other_is_asked_to(
    make: Callable[..., Any], what: Any, reason: str, says: str
) -> None:
    shop = await make()
    Worker.made[0].reloads = [what]
    with pytest.raises(BundleRefused, match=says) as refused:
        await in_thread(shop.bundle.reload)
    assert (refused.value.reason, refused.value.served) == (reason, "one")
    assert not Worker.made[1].told
    assert [kept.closed for kept in shop.kept] == [False, True]
    # And the next reload is not kept waiting.
    assert (await in_thread(shop.bundle.reload)).switched
    await shop.pool.close()


@pytest.mark.parametrize(
    "what", [Reloaded(reason="NOT_READY", text="no memory"), Timeout("too late"), Unavailable("gone")]
)
async def test_one_that_lags_behind_the_first_is_started_again(make: Callable[..., Any], what: Any) -> None:
    shop = await make(3)
    Worker.made[1].reloads = [what]
    assert (await in_thread(shop.bundle.reload)).version == "two"
    assert [worker.killed for worker in Worker.made] == [False, True, False]
    assert serving(shop.pool) == {"two"}
    await shop.pool.close()


async def test_a_folder_that_cannot_be_kept_is_refused_before_anybody_is_asked(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    shop = await make()
    shop.refused = BundleError(f"{tmp_path}/linear.npy: has 5 bytes instead of 9")
    with pytest.raises(BundleRefused, match=r": linear.npy: has 5 bytes") as refused:
        await in_thread(shop.bundle.reload)
    assert refused.value.reason == "INVALID_BUNDLE"
    assert str(tmp_path) not in str(refused.value)
    assert not any(worker.told for worker in Worker.made)
    await shop.pool.close()


@pytest.mark.parametrize("often", [1, 2])
async def test_a_bundle_whose_worker_ended_is_looked_at_once_more_and_no_more(
    make: Callable[..., Any], tmp_path: Path, often: int
) -> None:
    shop = await make()
    (tmp_path / MANIFEST).write_text("{}")
    Worker.made[0].reloads = [Unavailable("worker 1 ended")] * often
    watch = Watch([shop.bundle], cast("Any", None))
    for _ in range(6):
        await in_thread(watch.look)
    assert [len(worker.told) for worker in Worker.made] == [2, 2 - often]
    assert shop.bundle.version == {1: "three", 2: "one"}[often]
    await shop.pool.close()


async def test_a_bundle_that_came_while_nobody_was_there_is_looked_at_again(make: Callable[..., Any]) -> None:
    shop = await make(1)
    Worker.hang = True
    Worker.made[0].end()
    shop.bundle.seen = before = cast("Any", object())
    with pytest.raises(BundleRefused, match="no worker is there"):
        await in_thread(shop.bundle.reload)
    assert shop.bundle.seen is before
    await shop.pool.close()


async def test_a_worker_that_does_not_take_a_configuration_back_is_started_again(
    make: Callable[..., Any],
) -> None:
    shop = await make(3)
    shop.refused = ConfigError("the owner cannot use it")
    other = shop.config.model_copy(update={"seed": 7})
    taken = Reloaded(switched=True)
    Worker.made[0].reloads = [taken, Reloaded(reason="NOT_READY", text="it failed")]
    Worker.made[1].reloads = [taken, taken]
    Worker.made[2].reloads = [taken, Timeout("it hangs")]
    with pytest.raises(ConfigError, match="the owner cannot"):
        await in_thread(shop.every.use, other)
    assert [worker.killed for worker in Worker.made] == [True, False, True]
    assert Worker.made[1].told[-1]["config"] == encoded(shop.config)
    assert shop.wanted.config is shop.config
    await shop.pool.close()


async def test_a_configuration_that_the_first_refuses_is_refused(make: Callable[..., Any]) -> None:
    shop = await make()
    Worker.made[0].reloads = [Timeout("worker 1 was not ready within 300 s")]
    with pytest.raises(ConfigRefused, match="within 300 s"):
        await in_thread(shop.every.use, shop.config.model_copy(update={"seed": 7}))
    assert shop.every.config is shop.wanted.config is shop.config
    assert not Worker.made[1].told
    await shop.pool.close()


async def test_bundles_that_follow_each_other_quickly_take_no_memory() -> None:
    wanted = Wanted(load_config())
    kept = [Kept(version) for version in ("one", "two", "three", "four")]
    gone = [weakref.ref(image) for image in kept]
    while kept:
        wanted.switch(cast("Any", kept.pop(0)))
    gc.collect()
    assert [image() is None for image in gone] == [True, True, False, False]
