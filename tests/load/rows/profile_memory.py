"""What a million profiles take."""

from collections.abc import Iterator

from tests.load.rows.base import Row, World, main
from vitrine.config import load_config

_GB = 1e9
# Of fewer, it is not the profiles that memory grows by.
_ENOUGH = 5_000


def rows(world: World) -> Iterator[Row]:
    """Holds a quarter, a half and all of the shoppers (20,000 at most) in memory, and scales up."""
    world.say("memory of profiles")
    found = world.child("tests.load.holding", "--store", str(world.fresh_store()))
    held, memory, disk = found["held"], found["memory"], found["disk"]
    each = [spent / n for spent, n in zip(memory, held, strict=True)]
    cached = load_config().profile.cache_profiles
    yield Row(
        what="Memory of profiles: bytes each of all that are held ÷ of a quarter of them (1: linear)",
        value=each[-1] / each[0],
        bound=1.15,
        checked=held[-1] >= _ENOUGH,
        short=(held[-1] >= _ENOUGH)
        * f"A million profiles take {disk[-1] / held[-1] * 1e6 / _GB:.1f} GB on disk; in memory, {cached:,} are held unless "
        f"configured otherwise, {cached * each[-1] / _GB:.1f} GB",
        details={
            "a million profiles in memory": f"{each[-1] * 1e6 / _GB:.0f} GB",
            "on disk": f"{disk[-1] / held[-1] * 1e6 / _GB:.1f} GB; log, keys and profiles {found['file'] / found['log'] * 1e6 / _GB:.2f} GB a million events",
            "held at once unless configured otherwise": f"{cached:,}, {cached * each[-1] / _GB:.1f} GB",
            "one": " → ".join(f"{size / 1e3:.1f} kB" for size in each),
            "held": " → ".join(f"{n:,}" for n in held),
            "items in one": f"{found['items']:.0f} on average",
            "waiting to be written": "at most some 200,000 events and 100,000 keys, 50 MB, whatever the number of profiles",
        },
        note="read from disk, as decoded for ranking, beside the bytes that they were decoded from",
    )


if __name__ == "__main__":
    main(rows)
