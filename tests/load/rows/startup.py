"""From the start of a server to its first health: what the shop adds to it ÷ what reading the bundle's bytes costs."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.load.rows.base import Row, World, cpu_seconds, main, pinned
from vitrine.app.process import ServerProcess

_WHAT = "start with the whole shop: CPU until healthy, beyond an empty shop's ÷ CPU of reading and hashing the bundle"
# Rounds of all three, one after the other: some 10 s each.
_FEWEST, _MOST = 3, 6


# Below so many seconds of reading, it is not the bundle that a start waits for.
_MEASURABLE = 0.05


class _Took(NamedTuple):
    cpu: float
    seconds: float


def rows(world: World) -> Iterator[Row]:
    """Starts a server with the shop and one without anything, and reads the bundle, by turns.

    What lies in files is in the page cache for all three. The store is one that a server had open before, as it is at
    any start but the first after `vitrine load` of an older version.
    """
    store, empty = world.fresh_store(), world.scratch / "empty"
    _start(world, store, world.shop.bundle)
    whole, bare, read = [], [], []
    size = 0
    for number in range(min(max(round(world.seconds), _FEWEST), _MOST)):
        world.say(f"start-up, round {number + 1}")
        bare.append(_start(world, empty, None))
        whole.append(_start(world, store, world.shop.bundle))
        told = world.child("tests.load.reading", str(world.shop.bundle))
        read.append(_Took(told["cpu"], told["seconds"]))
        size = told["bytes"]
    cpu, wall = ([median(took[which] for took in many) for many in (whole, bare, read)] for which in range(2))
    yield Row(
        what=_WHAT,
        value=(cpu[0] - cpu[1]) / cpu[2],
        bound=2,
        checked=cpu[2] >= _MEASURABLE,
        short=f"A server with {world.shop.manifest.items:,} items answers {wall[0]:.1f} s after its start",
        missed="the bytes are hashed while they are copied into sealed memory, so that nobody changes them any more and "
        "workers share them: 1.4 times the loop beside it. What comes on top is what a first caller would wait for otherwise: "
        "networks and trees made ready, items matched with the catalogue, and every ranker run once",
        details={
            "CPU until healthy": f"{cpu[0]:.2f} s; of an empty shop {cpu[1]:.2f} s",
            "until healthy, by the clock": f"{wall[0]:.2f} s; of an empty shop {wall[1]:.2f} s",
            "reading and hashing": f"{cpu[2]:.2f} s of CPU, {wall[2]:.2f} s by the clock, {size / 1e6:.0f} MB",
            "by the clock, ratio": f"{(wall[0] - wall[1]) / wall[2]:.1f}",
            "rounds": f"{len(whole)}, by turns; medians",
        },
    )


def _start(world: World, store: Path, bundle: Path | None) -> _Took:
    """What a server used until it was healthy."""
    server = ServerProcess(
        bundle=bundle, store=store, as_of=world.shop.as_of, log=world.scratch / "server.log"
    )
    with pinned(world.server_cores), server:
        return _Took(cpu_seconds(server.pid), server.ready_seconds)


if __name__ == "__main__":
    main(rows)
