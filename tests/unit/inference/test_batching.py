"""Many callers at once: their rows share runs, and nobody pays for a neighbour."""

import contextlib
import gc
import math
import random
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
import pytest

from tests.unit.inference.conftest import WEIGHTS, affine, logarithm, lookup
from vitrine.config import InferenceConfig
from vitrine.errors import InferenceBusy, InferenceError, InferenceTimeout
from vitrine.inference import OnnxModel
from vitrine.inference.batching import Batcher, _Call
from vitrine.inference.joining import Buffers, bucket, buckets, joined
from vitrine.inference.running import Feeds, Outputs, timed_out

CPU = InferenceConfig(provider="cpu")


class Recorded:
    """Runs a model in a batcher, notes the rows of each run, and holds runs back while its gate is closed."""

    def __init__(
        self, model: bytes, *, slots: int = 1, max_rows: int = 8192, pad: bool = False, **more: Any
    ) -> None:
        self._model = OnnxModel(model, CPU)
        self.sizes: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Semaphore(0)
        self.batcher = Batcher(self._run, slots=slots, max_rows=max_rows, pad=pad, **more)

    def _run(self, feeds: Feeds, deadline: float) -> Outputs:
        self.sizes.append(len(next(iter(feeds.values()))))
        self.started.release()
        self.gate.wait(10)
        return self._model._run(feeds, deadline)

    def __call__(self, feeds: Feeds, budget: float = math.inf) -> Outputs:
        return self.batcher.run(feeds, time.monotonic() + budget)

    def behind_a_slow_run(
        self, first: Feeds, others: list[tuple[Feeds, float]], then: Callable[[], None] = lambda: None
    ) -> list[Future[Outputs]]:
        """Starts one call, lets the others queue behind it, does ``then``, and lets all run."""
        self.gate.clear()
        with ThreadPoolExecutor(len(others) + 1) as pool:
            futures = [pool.submit(self, first)]
            assert self.started.acquire(timeout=10)
            for n, (feeds, budget) in enumerate(others):
                futures.append(pool.submit(self, feeds, budget))
                until(lambda n=n: len(self.batcher._queue) == n + 1)  # type: ignore[misc]
            then()
            self.gate.set()
        return futures


def until(condition: Callable[[], bool]) -> None:
    """Waits for another thread to get somewhere."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def column(*values: float) -> Feeds:
    return {"x": np.array(values, np.float32)[:, None]}


def rows(count: int, seed: int = 0) -> Feeds:
    return {"x": np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)}


def test_an_idle_model_runs_at_once_and_alone() -> None:
    model = Recorded(affine())
    for count in (3, 1):
        assert model(rows(count))["y"].shape == (count, 3)
    assert model.sizes == [3, 1]


@pytest.mark.parametrize("pad", [False, True])
def test_callers_who_come_during_a_run_share_the_next_with_the_same_results(pad: bool) -> None:
    model = Recorded(affine(), pad=pad)
    feeds = [rows(n, n) for n in range(1, 9)]
    futures = model.behind_a_slow_run(feeds[0], [(f, math.inf) for f in feeds[1:]])
    for f, future in zip(feeds, futures, strict=True):
        np.testing.assert_allclose(future.result()["y"], f["x"] @ WEIGHTS, atol=1e-6)
    assert model.sizes == ([8, 64] if pad else [1, 35])
    assert model.batcher._running == 0


def test_a_joint_run_has_at_most_so_many_rows_and_a_larger_call_runs_alone() -> None:
    model = Recorded(affine(), max_rows=10)
    futures = model.behind_a_slow_run(rows(1), [(rows(n), math.inf) for n in (25, 6, 3, 4, 1)])
    assert [len(f.result()["y"]) for f in futures] == [1, 25, 6, 3, 4, 1]
    assert model.sizes == [1, 25, 10, 4]


def test_on_the_cpu_only_calls_of_few_rows_share_runs() -> None:
    batcher = OnnxModel(affine(), CPU, batchable=True)._batcher
    assert batcher is not None
    model = Recorded(affine(), max_rows=batcher._max_rows)
    futures = model.behind_a_slow_run(rows(1), [(rows(n), math.inf) for n in (100, 30, 30, 200, 4, 100)])
    assert [len(f.result()["y"]) for f in futures] == [1, 100, 30, 30, 200, 4, 100]
    assert model.sizes == [1, 100, 64, 200, 100]


def test_only_equal_shapes_and_types_share_a_run() -> None:
    model = Recorded(affine())
    wide, double = {"x": np.ones((2, 5), np.float32)}, {"x": np.ones((2, 4), np.float64)}
    futures = model.behind_a_slow_run(rows(1), [(f, math.inf) for f in (rows(2), wide, double, rows(3))])
    errors = [f.exception() for f in futures]
    assert [type(e) for e in errors] == [type(None), type(None), InferenceError, InferenceError, type(None)]
    assert model.sizes == [1, 5, 2, 2]


def test_nan_of_one_caller_is_no_error_of_its_neighbours() -> None:
    model = Recorded(logarithm())
    good, bad = (column(1, math.e), math.inf), (column(1, -1), math.inf)
    futures = model.behind_a_slow_run(column(1), [good, bad, good])
    assert model.sizes == [1, 6]
    for future in (futures[1], futures[3]):
        np.testing.assert_allclose(future.result()["y"], [[0], [1]], atol=1e-6)
    with pytest.raises(InferenceError, match="'y' has values that are NaN"):
        futures[2].result()


def test_inputs_that_break_a_joint_run_fail_alone() -> None:
    model = Recorded(lookup())
    futures = model.behind_a_slow_run(
        {"i": np.array([0])}, [({"i": np.array([i])}, math.inf) for i in (1, 99, 2, -99)]
    )
    assert [type(f.exception()) for f in futures[1:]] == [
        type(None),
        InferenceError,
        type(None),
        InferenceError,
    ]
    np.testing.assert_array_equal(futures[3].result()["y"], WEIGHTS[2:3])
    assert model.sizes == [1, 4, 1, 1, 1, 1]


def test_a_failure_that_nobody_foresaw_reaches_every_caller() -> None:
    model = Recorded(affine())
    queued = [(rows(2), math.inf)] * 3

    def break_it() -> None:
        def broken(feeds: Feeds, deadline: float) -> Outputs:
            raise MemoryError

        model.batcher._run = broken

    futures = model.behind_a_slow_run(rows(1), queued, break_it)
    assert len(futures[0].result()["y"]) == 1
    kinds = Counter(type(f.exception()) for f in futures[1:])
    assert kinds == {MemoryError: 1, InferenceError: 2}
    assert model.batcher._running == 0


def test_a_caller_whose_time_passes_in_the_queue_leaves_it() -> None:
    model = Recorded(affine())

    def come_and_go() -> None:
        with pytest.raises(InferenceTimeout):
            model(rows(2), 0.05)
        assert len(model.batcher._queue) == 1

    futures = model.behind_a_slow_run(rows(1), [(rows(4), 60)], come_and_go)
    assert [len(f.result()["y"]) for f in futures] == [1, 4]
    assert model.sizes == [1, 4]


def test_the_impatient_do_not_wait_for_a_joint_run_nor_shorten_it() -> None:
    """The patient one leads: the joint run may take as long as it can wait."""
    model = Recorded(affine())
    with ThreadPoolExecutor(3) as pool:
        model.gate.clear()
        first = pool.submit(model, rows(1))
        assert model.started.acquire(timeout=10)
        impatient = pool.submit(model, rows(2), 1)
        patient = pool.submit(model, rows(3), 60)
        until(lambda: len(model.batcher._queue) == 2)
        # The first is answered; the joint run of both starts and stands still.
        release, model.gate = model.gate, threading.Event()
        release.set()
        assert model.started.acquire(timeout=10)
        wait([impatient], timeout=10)
        assert isinstance(impatient.exception(0), InferenceTimeout)
        assert not patient.done()
        model.gate.set()
        assert len(patient.result(10)["y"]) == 3
        assert len(first.result(10)["y"]) == 1
    assert model.sizes == [1, 5]


@pytest.mark.parametrize("slots", [1, 3])
def test_nobody_is_forgotten_under_errors_and_timeouts(slots: int) -> None:
    """Eight threads, 2,000 calls: good, poisoned, broken, of two shapes, with little time; every one is answered."""
    model = Recorded(logarithm(), slots=slots, max_rows=12)
    real = model.batcher._run
    chance = random.Random(0)

    def moody(feeds: Feeds, deadline: float) -> Outputs:
        dice = chance.random()
        time.sleep(0.002 * chance.random())
        if dice < 0.05:
            raise InferenceError("the model failed on its inputs")
        if dice < 0.07:
            raise MemoryError
        return real(feeds, deadline)

    model.batcher._run = moody

    counts = [Counter[str]() for _ in range(8)]

    def caller(seed: int) -> None:
        mine, seen = random.Random(seed), counts[seed]
        for _ in range(250):
            value, count = mine.choice([1.0, 2.0, math.e, -1.0]), mine.randrange(0, 7)
            feeds = {"x": np.full((count, 1), value, np.float32 if mine.random() < 0.9 else np.float64)}
            try:
                found = model(feeds, mine.choice([0.0, 0.001, 0.004, 60, math.inf]))["y"]
            except (InferenceError, InferenceTimeout, MemoryError) as error:
                seen[type(error).__name__] += 1
            else:
                assert value > 0 or not count
                np.testing.assert_allclose(found, np.full((count, 1), np.log(abs(value))), atol=1e-6)
                seen["answered"] += 1

    # Daemons: one that hangs fails the test and no more.
    threads = [threading.Thread(target=caller, args=(seed,), daemon=True) for seed in range(8)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 60
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    total = sum(counts, Counter[str]())
    assert total.total() == 2000
    assert min(total[kind] for kind in ("answered", "InferenceError", "InferenceTimeout", "MemoryError")) > 0
    assert (model.batcher._running, model.batcher._queue) == (0, [])


def test_a_model_that_was_batched_under_load_answers_as_one_that_was_not() -> None:
    batched, alone = OnnxModel(affine(), CPU, batchable=True), OnnxModel(affine(), CPU)

    def caller(seed: int) -> None:
        for n in range(100):
            feeds = rows(1 + n % 7, seed * 1000 + n)
            found, wanted = batched.run(feeds, budget=60), alone.run(feeds, budget=60)
            np.testing.assert_allclose(found["y"], wanted["y"], atol=1e-6)

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(caller, seed) for seed in range(6)]:
            future.result(60)


def test_a_caller_who_left_is_not_answered_twice() -> None:
    """A neighbour's end comes between its answer and the end of the run: the slot must not get lost."""
    model = Recorded(affine())
    call = _Call(rows(1), math.inf)
    call.gate.acquire()
    call.settle(timed_out())
    call.settle({})
    assert isinstance(call.outcome, InferenceTimeout)
    assert model(rows(1), 60)


@pytest.mark.parametrize("batchable", [False, True])
@pytest.mark.parametrize("value", [1.0, -1.0])
def test_memory_returns_at_once(batchable: bool, value: float) -> None:
    """Without the collector of cycles: that of a model and its inputs is not Python's."""
    gc.disable()
    try:
        model = OnnxModel(logarithm(), CPU, batchable=batchable)
        feeds = column(value)
        with contextlib.suppress(InferenceError):
            model.run(feeds)
        gone = weakref.ref(feeds["x"]), weakref.ref(model)
        del feeds, model
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


@pytest.mark.gpu
def test_on_cuda_callers_share_runs_of_few_sizes(cuda: InferenceConfig) -> None:
    model, alone = OnnxModel(affine(), cuda, batchable=True), OnnxModel(affine(), CPU)

    def caller(seed: int) -> None:
        for n in range(100):
            feeds = rows(1 + n % 50, seed * 1000 + n)
            found = model.run(feeds, budget=60)["y"]
            np.testing.assert_allclose(found, alone.run(feeds, budget=60)["y"], rtol=1e-5, atol=1e-5)

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(caller, seed) for seed in range(6)]:
            future.result(120)


def test_a_call_that_may_wait_for_company_shares_its_run() -> None:
    model = Recorded(affine(), company=0.3)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(model, [rows(2, 1), rows(3, 2), rows(4, 3)]))
    assert model.sizes == [9]
    for seed, answer in enumerate(found, 1):
        np.testing.assert_allclose(answer["y"], rows(seed + 1, seed)["x"] @ WEIGHTS, atol=1e-5)
    # Nobody came: it runs all the same, and the slot is free again.
    model(rows(1))
    assert model.sizes == [9, 1]
    assert model.batcher._running == 0


def test_who_waited_for_company_leaves_in_time_while_another_leads() -> None:
    model, feeds = Recorded(affine(), company=0.3), rows(1)
    model.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        began = time.monotonic()
        gathering = pool.submit(model, feeds, 0.5)
        time.sleep(0.1)
        patient = pool.submit(model, feeds)
        with pytest.raises(InferenceTimeout):
            gathering.result(10)
        took = time.monotonic() - began
        model.gate.set()
        patient.result(10)
    assert 0.45 < took < 0.7


def test_who_waits_for_company_is_not_late_for_that() -> None:
    model = Recorded(affine(), company=30.0)
    began = time.monotonic()
    with pytest.raises(InferenceTimeout):
        model(rows(1), budget=0.05)
    assert time.monotonic() - began < 5
    assert (model.batcher._running, model.batcher._queue) == (0, [])


def test_who_fills_a_run_alone_does_not_wait_for_company() -> None:
    model = Recorded(affine(), max_rows=4, company=30.0)
    for size in (4, 9):
        assert len(model(rows(size), budget=5.0)["y"]) == size
    assert model.sizes == [4, 9]


def test_a_full_queue_refuses_at_once_and_takes_calls_again_later() -> None:
    model = Recorded(affine(), most_waiting=2)
    refused = []

    def one_more() -> None:
        began = time.monotonic()
        with pytest.raises(InferenceBusy, match="2 requests wait"):
            model(rows(1))
        refused.append(time.monotonic() - began)

    futures = model.behind_a_slow_run(rows(1), [(rows(1), 10.0), (rows(1), 10.0)], one_more)
    assert all(len(future.result()["y"]) == 1 for future in futures)
    assert refused[0] < 1
    assert len(model(rows(3))["y"]) == 3


def test_shapes_are_few_and_known_beforehand() -> None:
    assert buckets(100) == [8, 16, 32, 64, 100]
    assert buckets(8) == [8]
    assert {bucket(n, 100) for n in range(1, 101)} == set(buckets(100))
    assert bucket(300, 100) == 300


def test_inputs_are_written_over_those_of_the_last_run_without_a_trace_of_them() -> None:
    buffers = Buffers()
    large, small = [rows(40, 1), rows(20, 2)], [rows(3, 3), rows(2, 4)]
    first = joined(large, 60, 64, buffers)["x"]
    second = joined(small, 5, 8, buffers)["x"]
    assert np.shares_memory(first, second)
    np.testing.assert_array_equal(second, joined(small, 5, 8)["x"])
    wider = joined([{"x": np.ones((3, 5), np.float32)}], 3, 8, buffers)["x"]
    assert not np.shares_memory(first, wider)
    larger = joined([*large, *large], 120, 128, buffers)["x"]
    np.testing.assert_array_equal(larger, joined([*large, *large], 120, 128)["x"])
    # A call that needs no filling up is run as it came.
    alone = rows(8, 5)
    assert joined([alone], 8, 8, buffers) is alone


class OnDevice:
    """A model that takes itself to be on a GPU, and the numbers of rows of its runs."""

    def __init__(self, max_rows: int) -> None:
        settings = InferenceConfig(provider="cpu", max_batch_rows=max_rows, batch_wait_us=0)
        self.model = OnnxModel(affine(), settings, batchable=True)
        self.model.provider = "cuda"
        real, self.sizes = self.model._run, list[int]()

        def run(feeds: Feeds, deadline: float) -> Outputs:
            self.sizes.append(len(feeds["x"]))
            return real(feeds, deadline)

        self.model._run = run  # type: ignore[assignment]
        self.model._batcher = Batcher(run, slots=1, max_rows=max_rows, pad=True)


def test_a_gpu_meets_no_shape_that_it_was_not_warmed_up_with() -> None:
    device = OnDevice(40)
    device.model.warm(rows(3))
    known = set(device.sizes)
    assert known == {8, 16, 32, 40}
    device.sizes.clear()
    for count in (1, 9, 33, 40, 41, 95):
        x = rows(count, count)
        np.testing.assert_allclose(device.model.run(x)["y"], x["x"] @ WEIGHTS, atol=1e-5)
    assert set(device.sizes) <= known


def test_a_cpu_needs_no_warming_up() -> None:
    device = OnDevice(40)
    device.model.provider = "cpu"
    device.model.warm(rows(3))
    assert device.sizes == []
