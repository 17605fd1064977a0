"""Networks on a GPU: the rows of the last run of `scripts/bench-gpu`, on a machine that has one."""

from collections.abc import Iterator

from tests.load.gpu.figures import Network, Result, Served, Times, kept
from tests.load.markdown import number
from tests.load.row import Row
from tests.load.rows.base import World, main

COMMAND = "scripts/bench-gpu"
_WHAT = "time in the ONNX session at the batch sizes that formed ÷ the same batches in a bare loop"
_BOUND = 1.25


def rows(world: World) -> Iterator[Row]:
    """Reads them; nothing is measured here, since few machines have a GPU."""
    result = kept()
    if result is None or result.provider != "cuda":
        note = f"not measured; run `{COMMAND}` on a machine with an NVIDIA GPU"
        yield Row(what=f"GPU: {_WHAT}", value=None, bound=_BOUND, note=note, command=COMMAND, checked=False)
        return
    for name, network in result.networks.items():
        yield row(result, name, network)


def row(result: Result, name: str, network: Network) -> Row:
    """The row of one network."""
    machine = result.machine
    on = f"{machine.get('GPU', 'an unknown GPU')} at {machine.get('commit', 'no commit')}"
    return Row(
        what=f"GPU, network `{name}`: {_WHAT}",
        value=network.high.ratio,
        bound=_BOUND,
        details={
            "one row a run": _told(network.one_row),
            f"one request of {result.rows} rows a run": _told(network.one_request),
            f"{result.callers} callers, a run each": _told(network.apart),
            f"{result.callers} callers, joined": _told(network.joined),
            "open loop": f"{_loaded(network.half)}; {_loaded(network.high)}",
        },
        note=f"measured by `{COMMAND}` on {result.date[:10]} on {on}; the ratio is that of the higher rate",
        command=COMMAND,
        checked=False,
    )


def _told(times: Times) -> str:
    failed = f", {times.errors} of {times.calls:,} calls failed" if times.errors else ""
    return f"{times.rows_per_second:,.0f} rows/s, p99 {number(times.p99)} ms{failed}"


def _loaded(served: Served) -> str:
    sizes = ", ".join(f"{runs:,} of {rows}" for rows, runs in served.sizes.items())
    return (
        f"{served.rate:,} calls/s: {_told(served.times)}, runs ({sizes} rows) of {number(served.served)} ms, "
        f"bare {number(served.bare)} ms, ratio {number(served.ratio)}"
    )


if __name__ == "__main__":
    main(rows)
