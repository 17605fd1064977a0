"""One thread that ends runs whose time is over."""

import math
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from tests.unit.inference.conftest import affine, slow
from vitrine.config import InferenceConfig
from vitrine.errors import InferenceTimeout
from vitrine.inference import OnnxModel, watchdog
from vitrine.inference.watchdog import Watchdog

CPU = InferenceConfig(provider="cpu")


class Options(SimpleNamespace):
    """Stands for the options of a run; notes when it was stopped."""

    @property
    def terminate(self) -> bool:
        return hasattr(self, "at")

    @terminate.setter
    def terminate(self, _value: bool) -> None:
        self.at = time.monotonic()


def test_each_run_ends_at_its_own_deadline_in_whatever_order_they_come() -> None:
    dog, now = Watchdog(), time.monotonic()
    runs = {seconds: Options() for seconds in (0.3, 0.1, 0.4, 0.2, 0.05)}
    for seconds, options in runs.items():
        dog.watch(now + seconds, options)
    over = Options()
    dog.done(dog.watch(now + 0.15, over))
    end = now + 10
    while not all(o.terminate for o in runs.values()) and time.monotonic() < end:
        time.sleep(0.01)
    assert all(0 <= options.at - now - seconds < 1 for seconds, options in runs.items())
    assert sorted(runs, key=lambda s: runs[s].at) == sorted(runs)
    assert not over.terminate
    assert threading.active_count() < 100


def test_finished_runs_do_not_pile_up() -> None:
    dog, later = Watchdog(), time.monotonic() + 3600
    open_runs = [dog.watch(later, Options()) for _ in range(10)]
    for _ in range(50_000):
        dog.done(dog.watch(later, Options()))
    assert len(dog._heap) <= watchdog._COMPACT_AT
    assert sum(e[2] is not None for e in dog._heap) == len(open_runs)


def test_all_models_share_one_thread_and_a_run_without_a_budget_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models = [OnnxModel(slow(), CPU, batchable=b) for b in (False, True, False)]
    feeds = {"x": np.ones((1, 1), np.float32), "times": np.array([1_000_000])}

    def stopped(model: OnnxModel) -> bool:
        with pytest.raises(InferenceTimeout):
            model.run(feeds, budget=0.05)
        return True

    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(stopped, models))
    assert [t.name for t in threading.enumerate()].count("vitrine-watchdog") == 1 + strangers()
    monkeypatch.setattr(Watchdog, "watch", None)
    assert OnnxModel(affine(), CPU).run({"x": np.ones((1, 4), np.float32)}, budget=math.inf)
    assert OnnxModel(affine()).run({"x": np.ones((1, 4), np.float32)})


def strangers() -> int:
    """Watchdogs that other tests here made."""
    ours = watchdog.watchdog._thread
    return sum(t.name == "vitrine-watchdog" and t is not ours for t in threading.enumerate())


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_starts_its_own() -> None:
    dog = Watchdog()
    dog.watch(time.monotonic() + 3600, Options())
    with dog._changed:  # as a thread that is at work while another forks
        child = os.fork()
    if not child:
        options = Options()
        dog.watch(time.monotonic() + 0.05, options)
        time.sleep(1)
        os._exit(0 if options.terminate else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
