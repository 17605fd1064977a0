"""The pipeline in a plain Python loop beside its irreducible kernels; and its cost, which others divide by."""

from collections.abc import Iterator
from typing import Any

from tests.load.rows.base import Row, World, main


def measured(world: World) -> Any:
    """What `tests.load.bare` measures, in a process of its own."""
    shop = world.shop
    return world.child(
        "tests.load.bare",
        *("--data", str(shop.data), "--bundle", str(shop.bundle), "--store", str(world.fresh_store())),
        *("--as-of", shop.as_of, "--seconds", str(world.seconds)),
    )


def per_call(world: World) -> float:
    """CPU milliseconds per call of the bare pipeline."""
    return float(measured(world)["cpu_ms"])


def rows(world: World) -> Iterator[Row]:
    """The one row."""
    world.say("bare pipeline and its kernels")
    found = measured(world)
    kernels: dict[str, float] = found["kernels"]
    yield Row(
        what="The bare pipeline: its CPU ÷ the sum of its irreducible kernels",
        value=found["cpu_ms"] / sum(kernels.values()),
        bound=1.5,
        details={
            "bare pipeline": f"{found['cpu_ms']:.2f} ms",
            **{name: f"{spent:.2f} ms" for name, spent in sorted(kernels.items())},
            "requests": f"{found['requests']:,}",
        },
        note="kernels called alone on the inputs that the pipeline gave them, request by request; trees: LightGBM's own "
        "prediction",
    )


if __name__ == "__main__":
    main(rows)
