"""What `serve --workers 2` costs beside one process, and how evenly it spreads the requests of one connection."""

from collections.abc import Iterator
from statistics import median

from tests.load.beside import Served, cpu_per_request, ratio
from tests.load.metrics import samples
from tests.load.rows.base import Row, World, main
from vitrine.app.process import ServerProcess


def rows(world: World) -> Iterator[Row]:
    """Measures one process and one with two workers, in turns, all on the server's core."""
    with world.server() as one, world.server("--workers", "2") as two:
        shops = {"one": _served(one), "two": _served(two)}
        found = cpu_per_request(world, shops)
        calls = _calls(two)
    yield Row(
        what="two workers instead of one: CPU per request",
        value=ratio(found["two"], found["one"]),
        bound=1.2,
        details={
            "one process": f"{median(found['one']):.2f} ms",
            "owner and two workers together": f"{median(found['two']):.2f} ms",
        },
        note="over gRPC, from one connection; CPU of all processes of the server",
    )
    yield Row(
        what="two workers, one connection: requests to the busier one ÷ an even share",
        value=max(calls) * len(calls) / sum(calls),
        bound=1.1,
        details={"requests": " and ".join(f"{n:,.0f}" for n in calls)},
    )


def _served(server: ServerProcess) -> Served:
    return Served(server.address, server.address, (server.pid,))


def _calls(server: ServerProcess) -> list[float]:
    return [
        sample.value for sample in samples(server.metrics_port) if sample.name == "vitrine_worker_calls_total"
    ]


if __name__ == "__main__":
    main(rows)
