"""The pipeline in a plain Python loop beside its irreducible kernels; and its cost, which others divide by."""

from collections.abc import Iterator
from typing import Any

from tests.load.rows.base import Row, World, main

# CPU milliseconds from which on a stage is told.
_TOLD = 0.1
_MISSED = (
    "what is not a kernel is some hundreds of NumPy calls a window over columns of 500 candidates, and the Python between "
    "them. By a profile of November 2026, at 100,000 items, NumPy's own part alone takes the ratio to about 1.6: 1.5 would "
    "take columns, merge, rules and reasons in compiled code"
)


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
        parts={
            **{f"share of {name}": spent / found["cpu_ms"] for name, spent in found["stages"].items()},
            # A kernel that gets dear makes the rest look cheap.
            **{f"share of kernel {name}": spent / found["cpu_ms"] for name, spent in kernels.items()},
            **{f"calls of kernel {name} a window": times for name, times in found["calls"].items()},
        },
        missed=_MISSED,
        details={
            "bare pipeline": f"{found['cpu_ms']:.2f} ms",
            **{name: f"{spent:.2f} ms" for name, spent in sorted(kernels.items())},
            "by stage, kernels included": " · ".join(
                f"{name} {spent:.2f}"
                for name, spent in sorted(found["stages"].items(), key=lambda one: -one[1])
                if spent >= _TOLD
            )
            + " ms",
            "requests": f"{found['requests']:,}",
        },
        note="kernels called alone on the inputs that the pipeline gave them, request by request; trees: LightGBM's own "
        "prediction",
    )


if __name__ == "__main__":
    main(rows)
