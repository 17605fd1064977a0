"""Callers of a model, each a thread as in a server: in a closed loop, and in an open one."""

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tests.load.gpu.figures import Times
from vitrine.errors import InferenceBusy, InferenceTimeout

# Answers a request, told its number; how many rows it had is known.
Call = Callable[[int], object]
# When a call is due, told its number and the time; ``None`` when there are no more.
Due = Callable[[int, float], float | None]


def closed(call: Call, *, rows: int, callers: int, seconds: float) -> Times:
    """Each caller calls again as soon as it is answered."""
    until = time.perf_counter() + seconds
    return _measured(call, rows, callers, lambda _, now: None if now >= until else now)


def open_loop(call: Call, *, rows: int, callers: int, rate: float, seconds: float) -> Times:
    """Calls are due at a constant rate; times count from there, whether or not a caller was free then."""
    began = time.perf_counter()
    count = max(1, round(rate * seconds))
    return _measured(call, rows, callers, lambda number, _: began + number / rate if number < count else None)


def _measured(call: Call, rows: int, callers: int, due: Due) -> Times:
    waited: list[float] = []
    errors: list[Exception] = []

    def one(number: int, when: float) -> None:
        if (early := when - time.perf_counter()) > 0:
            time.sleep(early)
        try:
            call(number)
        except (InferenceBusy, InferenceTimeout) as error:
            errors.append(error)
        else:
            waited.append(time.perf_counter() - when)

    numbers = itertools.count()

    def caller() -> None:
        while (when := due(number := next(numbers), time.perf_counter())) is not None:
            one(number, when)

    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as threads:
        ended = [threads.submit(caller) for _ in range(callers)]
    took = time.perf_counter() - began
    for future in ended:
        future.result()
    p50, p99 = (1000 * np.percentile(waited, [50, 99])).tolist() if waited else (None, None)
    return Times(
        calls=len(waited) + len(errors),
        errors=len(errors),
        rows_per_second=rows * len(waited) / took,
        p50=p50,
        p99=p99,
    )
