"""What a catalogue ten times as large costs: CPU per request, what the search finds, memory."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.load.rows.base import Row, World, main

_MB, _GB = 1e6, 1e9
# Fewer items take no more memory than what comes and goes anyway.
_ENOUGH = 100_000


def rows(world: World) -> Iterator[Row]:
    """CPU per request at one and ten times the catalogue, recall there, memory at one, five and ten times."""
    world.say("catalogues of one, five and ten times the items, some minutes")
    shop = world.shop
    found: dict[str, dict[str, Any]] = world.child(
        "tests.load.million",
        *("--data", str(shop.data), "--bundle", str(shop.bundle), "--store", str(world.fresh_store())),
        *("--as-of", shop.as_of, "--seconds", str(world.seconds)),
    )
    one, some, many = sorted(found["cpu_ms"], key=int)
    cpu = found["cpu_ms"]
    yield Row(
        what="Ten times the catalogue: CPU per `Recommend`",
        value=cpu[many] / cpu[one],
        bound=1.5,
        details={
            **{f"{int(items):,} items": f"{cpu[items]:.2f} ms" for items in (one, some, many)},
            **_changes(found["sources"][one], found["sources"][many]),
        },
        note="bare pipeline, the same shoppers in turns; the shop's items copied with perturbed vectors",
    )
    # By table: recall, and CPU milliseconds by lists and exactly.
    searches: dict[str, dict[str, list[float]]] = found["searches"]
    yield Row(
        what=f"Search among {int(many):,} items: recall of the exact 200 best",
        value=min((each[0] for each in searches[many].values()), default=None),
        bound=0.98,
        at_most=False,
        details={
            f"{name}, {int(items):,} items": f"{recall:.4f}; {by_lists:.2f} ms, exact {exact:.2f} ms"
            for items in (one, many)
            for name, (recall, by_lists, exact) in searches[items].items()
        },
        note="" if searches[many] else "so few items are searched exactly",
    )
    memory = {items: sum(parts.values()) for items, parts in found["memory"].items()}
    each = {items: bytes_ / int(items) for items, bytes_ in memory.items()}
    yield Row(
        what="Memory of a million items: growth from five to ten times ÷ growth from one to five, per item",
        value=((memory[many] - memory[some]) / (int(many) - int(some)))
        / ((memory[some] - memory[one]) / (int(some) - int(one))),
        bound=1.1,
        checked=int(many) >= _ENOUGH,
        short=f"A million items take {each[many] * 1e6 / _GB:.1f} GB of memory" * (int(many) >= _ENOUGH),
        details={
            "a million items": f"{each[many] * 1e6 / _MB:,.0f} MB",
            **{
                f"{part}, a million items": f"{bytes_ / int(many) * 1e6 / _MB:,.0f} MB"
                for part, bytes_ in found["memory"][many].items()
            },
            **{f"{int(items):,} items": f"{bytes_ / _MB:,.0f} MB" for items, bytes_ in memory.items()},
            "CPU to make the search lists": f"{found['seconds'][many]['search lists']:.0f} s",
        },
        note="resident memory of one process; profiles and the store's files apart",
    )


def _changes(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, str]:
    return {name: f"{before[name]:.2f} → {after[name]:.2f} ms" for name in before if name in after}


if __name__ == "__main__":
    main(rows)
