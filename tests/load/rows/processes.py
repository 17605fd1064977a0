"""What four processes instead of one cost: profile, retrieval, ranking and recommendation apart, on one machine."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from tests.load.beside import Served, cpu_per_request, ratio
from tests.load.rows.base import Row, World, main
from vitrine.app.process import free_port

_PARTS = ("retrieval", "profile", "ranking", "recommendation")


def rows(world: World) -> Iterator[Row]:
    """Measures one process and four, in turns, all on the server's core."""
    with world.server() as one, _split(world) as four:
        shops = {"one": Served(one.address, one.address, (one.pid,)), "four": four}
        found = cpu_per_request(world, shops)
    yield Row(
        what="four processes instead of one: CPU per request",
        value=ratio(found["four"], found["one"]),
        bound=2.0,
        details={
            "one process": f"{median(found['one']):.2f} ms",
            "the four together": f"{median(found['four']):.2f} ms",
        },
        note="over gRPC, from one connection; CPU of all four",
    )


@contextmanager
def _split(world: World) -> Iterator[Served]:
    store = world.fresh_store()
    ports = {name: free_port() for name in _PARTS}
    addresses = [part for name in _PARTS[:3] for part in (f"--{name}-address", f"127.0.0.1:{ports[name]}")]
    with ExitStack() as closing:
        servers = {
            name: closing.enter_context(world.server(*addresses, service=name, store=store, port=ports[name]))
            for name in _PARTS
        }
        pids = tuple(server.pid for server in servers.values())
        yield Served(servers["recommendation"].address, servers["profile"].address, pids)


if __name__ == "__main__":
    main(rows)
