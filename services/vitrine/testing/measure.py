"""Measures what a plugin takes: memory, time, and whether threads get into each other's way."""

import gc
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TypeVar

# Deep enough to get from within NumPy to who called it.
_FRAMES = 12

T = TypeVar("T")
R = TypeVar("R")


def growth(call: Callable[[int], object], warm: int, calls: int, stretches: int = 3) -> tuple[int, str]:
    """By how many bytes memory grows over some calls, and where most of that was allocated.

    What leaks grows in every stretch of calls, what settles only in the first ones: the least of them counts. It is what
    Python and NumPy allocate, not what a native library keeps for itself.

    Args:
        call: Called with 0, 1, 2, …
        warm: Calls that come before, in which caches may fill.
        calls: Calls of a stretch.
        stretches: How many there are.
    """
    ours = not tracemalloc.is_tracing()
    if ours:
        tracemalloc.start(_FRAMES)
    try:
        for n in range(warm):
            call(n)
        before = _snapshot()
        found = []
        for start in range(warm, warm + stretches * calls, calls):
            for n in range(start, start + calls):
                call(n)
            after = _snapshot()
            found.append(after.compare_to(before, "traceback"))
            before = after
    finally:
        if ours:
            tracemalloc.stop()
    changes = min(found, key=_total)
    most = max(changes, key=lambda change: change.size_diff, default=None)
    return _total(changes), "" if most is None else _place(most.traceback)


def _place(trace: tracemalloc.Traceback) -> str:
    """The line of the plugin's author that allocates, rather than that of a library which it calls."""
    # The innermost comes last.
    frames = [*reversed(trace)]
    theirs = [f for f in frames if not ({"site-packages", "vitrine"} & set(Path(f.filename).parts))]
    return str((theirs or frames)[0])


def _snapshot() -> tracemalloc.Snapshot:
    """What is allocated, but for snapshots."""
    gc.collect()
    ours = [tracemalloc.Filter(False, tracemalloc.__file__), tracemalloc.Filter(False, __file__)]
    return tracemalloc.take_snapshot().filter_traces(ours)


def _total(changes: Sequence[tracemalloc.StatisticDiff]) -> int:
    return sum(change.size_diff for change in changes)


def milliseconds(call: Callable[[T], object], arguments: Sequence[T], at_most: float) -> float:
    """The median time of the calls, one after another.

    Args:
        call: What is measured.
        arguments: One for each call; the first one only warms up.
        at_most: Once the calls have taken so many milliseconds together, the rest are not made.
    """
    call(arguments[0])
    times: list[float] = []
    for argument in arguments[1:]:
        start = time.perf_counter()
        call(argument)
        times.append((time.perf_counter() - start) * 1000)
        if sum(times) > at_most:
            break
    return median(times)


def together(call: Callable[[T], R], arguments: Sequence[Sequence[T]]) -> list[list[R]]:
    """What ``call`` answers to each list of arguments, each list in a thread of its own, all at the same time."""
    gate = threading.Barrier(len(arguments))

    def work(own: Sequence[T]) -> list[R]:
        gate.wait()
        return [call(argument) for argument in own]

    usual = sys.getswitchinterval()
    # Threads take turns a thousand times as often as usual, to meet where they should not.
    sys.setswitchinterval(5e-6)
    try:
        with ThreadPoolExecutor(len(arguments)) as pool:
            return list(pool.map(work, arguments))
    finally:
        sys.setswitchinterval(usual)
