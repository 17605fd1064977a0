"""What a call to a plugin in a process of its own costs: `python -m tests.unit.hosting.process.measure`."""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]

from tests.support.plugin_dist import write_plugin
from tests.unit.hosting.process.helpers import make_batch, ranker, start

CALLS = 2000


def measure(candidates: int, name: str) -> None:
    """Prints latency and CPU of calls with so many candidates, one after the other."""
    batch = make_batch((candidates,))
    plugin = start(name)
    try:
        for _ in range(200):
            plugin.call("ranker", "score", batch, 2.0)
        (child,) = psutil.Process(os.getpid()).children()
        mine, theirs, seconds = time.process_time(), sum(child.cpu_times()[:2]), []
        for _ in range(CALLS):
            started = time.perf_counter()
            plugin.call("ranker", "score", batch, 2.0)
            seconds.append(time.perf_counter() - started)
        mine, theirs = time.process_time() - mine, sum(child.cpu_times()[:2]) - theirs
    finally:
        plugin.close()
    half, most = np.quantile(seconds, (0.5, 0.99)) * 1e3
    print(
        f"{candidates:>6,} candidates: p50 {half:.2f} ms, p99 {most:.2f} ms; CPU {mine / CALLS * 1e3:.2f} ms here, "
        f"{theirs / CALLS * 1e3:.2f} ms there"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        write_plugin(Path(folder), "measured", ranker("    pass"))
        sys.path.insert(0, folder)
        for count in (10, 300, 3000):
            measure(count, "measured")
