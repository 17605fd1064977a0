"""The tail at half of the peak over the median of one caller, and what a recommendation costs beside Gorse's reads."""

from collections.abc import Iterator

import msgspec

from tests.load.ghz import METHODS
from tests.load.rows.base import Row, World, main
from tests.load.suite import Measured, measure, results

# What the makers of others publish or their code was measured to take.
_PEERS = {
    "rank": {"Metarank publishes": "24 ms for 300 candidates"},
    "recommend": {"Gorse, stored lists": "p99 135 ms at 8 callers"},
}
# CPU milliseconds of Gorse per read of a stored list; its better figure.
_GORSE = 2.0


def rows(world: World) -> Iterator[Row]:
    """Runs the ghz suite, keeps what it measured for the page's tables and pictures, and reads the rows off it."""
    with world.server() as server:
        suite = measure(world, server)
    folder = results(world.shop)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.json").write_bytes(msgspec.json.format(msgspec.json.encode(suite)))
    for name in ("rank", "recommend"):
        yield _tail(name, suite.methods[name])
    half = suite.methods["recommend"].half
    yield Row(
        what="`Recommend`, computed online ÷ Gorse's read of a stored list (2 ms): CPU per request",
        value=half.cpu / _GORSE,
        bound=1,
        strict=True,
        checked=False,
        details={
            "CPU per request": f"{half.cpu:.2f} ms",
            "Gorse": "2 to 3 ms",
            "÷ 3 ms": f"{half.cpu / 3:.2f}",
        },
        missed="networks and trees of this bundle alone take longer than Gorse's read (the row of the bare pipeline): no code "
        "reaches it with these models. It would take smaller ones, fewer candidates, or windows that are kept for a while, "
        "which is what Gorse reads, and why its answers are as old as its last cycle",
        note=f"at half of the peak, {half.rate}/s, a tenth of a new event included; Gorse's figure is of elsewhere, not "
        "measured on this machine",
    )


def _tail(name: str, figures: Measured) -> Row:
    single, half = figures.single, figures.half
    label = {"rank": "`Rank`, 300 candidates", "recommend": "`Recommend`"}[name]
    what = f"{label}: p99 at half of the peak ÷ median of a single caller"
    if not figures.peak or half.p99 is None or not single.p50:
        return Row(what=what, value=None, bound=4, note=f"{METHODS[name]} held no rate")
    return Row(
        what=what,
        value=half.p99 / single.p50,
        bound=4,
        tolerance=2,
        details={
            "p99 at half": f"{half.p99:.1f} ms",
            "p50 at half": f"{half.p50:.1f} ms",
            "one caller": f"{single.p50:.1f} ms",
            "peak": f"{figures.peak}/s",
            **_PEERS[name],
        },
    )


if __name__ == "__main__":
    main(rows)
