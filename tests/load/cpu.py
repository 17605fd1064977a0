"""Cores and CPU time of processes."""

import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil  # type: ignore[import-untyped]

# What measures CPU time measures one thread of it: idle BLAS threads spin.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def pinned(where: Sequence[int]) -> Iterator[None]:
    """Processes that are started within run on these cores; anywhere when there are none."""
    if not where or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, where)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(*pids: int) -> float:
    """CPU time, user and system, that processes and their children have used so far; steps of 10 ms."""
    roots = [psutil.Process(pid) for pid in pids]
    times = [p.cpu_times() for root in roots for p in (root, *root.children(recursive=True))]
    return float(sum(t.user + t.system for t in times))


def children_seconds() -> float:
    """CPU time of this process's children that have ended: of load generators, when they have."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def busy_seconds() -> float:
    """CPU time of everything on the machine so far, whoever used it."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))
