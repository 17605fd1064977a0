"""What serving costs beside other servers: the row of the last run of `make bench-peers`."""

from collections.abc import Iterator, Mapping

from tests.load.markdown import number
from tests.load.peers.figures import Figures, Result, kept
from tests.load.row import Row
from tests.load.rows.base import World, main

COMMAND = "make bench-peers"
_WHAT = "`Rank`, 300 candidates: CPU per request beyond the bare function ÷ "
_GRPC = "grpc.aio without work"
_OWN, _PEERS = "Vitrine", ("Ray Serve", "mosec")


def rows(world: World) -> Iterator[Row]:
    """Reads them; nothing is measured here, since peers need environments of their own."""
    result = kept()
    for peer in _PEERS:
        if result is None:
            note = f"not measured; run `{COMMAND}`"
            yield Row(
                what=f"{_WHAT}{peer}'s",
                value=None,
                bound=1,
                strict=True,
                note=note,
                command=COMMAND,
                checked=False,
            )
        else:
            yield row(result, peer)


def row(result: Result, peer: str) -> Row:
    """The row of a run and a peer: of several ways to run it, the one that costs least."""
    own = result.servers[_OWN]
    ways = [server for name, server in result.servers.items() if name.startswith(peer)]
    least = min(ways, key=lambda server: server.beyond)
    measured = f"measured by `{COMMAND}` on {result.date[:10]} at {result.machine.get('commit', 'no commit')}"
    floors = {name: f"{number(value)} ms" for name, value in result.floors.items()}
    why = ""
    if not (own.peak and least.peak):
        why = f"; {least.name if own.peak else own.name} held no rate"
    elif least.beyond <= 0:
        # Nothing is left to divide by: noise.
        why = f"; {least.name} was within the noise of the bare function"
    return Row(
        what=f"{_WHAT}{peer}'s",
        value=None if why else own.beyond / least.beyond,
        bound=1,
        strict=True,
        details={
            "bare": f"{number(result.function)} ms",
            **{server.name: _told(server) for server in (own, *ways)},
            **(floors if peer == "mosec" else {}),
        },
        missed=_missed(own, peer, result.floors),
        note=measured + why,
        command=COMMAND,
        checked=False,
    )


def _missed(own: Figures, peer: str, floors: Mapping[str, float]) -> str:
    grpc = floors.get(_GRPC)
    if grpc is None or peer == "Ray Serve":
        return ""
    return (
        f"of Vitrine's {number(own.beyond)} ms, {number(grpc)} are gRPC's server for Python with nothing behind it, where {peer} "
        "reads HTTP in Rust; the rest is a hand-over to a thread, deadlines, limits, metrics, and caches that are colder than "
        "in a plain loop. It would take a front in another language"
    )


def _told(server: Figures) -> str:
    return (
        f"{number(server.beyond)} ms beyond, peak {server.peak}/s, p99 at half of it {number(server.p99)} ms"
    )


if __name__ == "__main__":
    main(rows)
