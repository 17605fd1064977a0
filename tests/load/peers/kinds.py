"""The servers that are compared, and how each is set up."""

from dataclasses import replace
from pathlib import Path

from tests.load.peers.hosts import Kind, hosted, vitrine

ENVIRONMENTS = Path(".bench/peers")

VITRINE = Kind(
    name="Vitrine",
    grpc=True,
    start=vitrine,
    environment=Path(".venv"),
    settings="`vitrine serve` as it is by default: four services in one process, metrics, health and reflection on",
)
MOSEC = Kind(
    name="mosec",
    grpc=False,
    start=hosted,
    environment=ENVIRONMENTS / "mosec",
    program="mosec_host",
    settings="one worker, no batching, raw bytes as bodies, log level warning",
)
_RAY = (
    "its gRPC proxy, one replica with at most five requests in flight (its default), the method a coroutine; access log, dashboard and usage statistics off; all its "
    "processes, daemons included, on the server's core"
)
RAY = Kind(
    name="Ray Serve",
    grpc=True,
    start=hosted,
    environment=ENVIRONMENTS / "ray",
    program="ray_host",
    settings=f"{_RAY}; else as it comes",
    variables={"RAY_USAGE_STATS_ENABLED": "0"},
)
RAY_TUNED = replace(
    RAY,
    name="Ray Serve, tuned",
    settings=f"{_RAY}; with its own setting for throughput, `RAY_SERVE_THROUGHPUT_OPTIMIZED=1`, but for direct "
    "ingress, which goes round the proxy",
    variables={
        **RAY.variables,
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_ENABLE_DIRECT_INGRESS": "0",
    },
)

EVERYWHERE = replace(
    RAY_TUNED,
    name=f"{RAY_TUNED.name}, all cores",
    everywhere=True,
    settings=f"as {RAY_TUNED.name}, but not pinned: it and what loads it share all cores",
)
# What is left of a server when there is no work: the answer comes from a file.
FLOORS = (
    Kind(
        name="grpc.aio",
        grpc=True,
        start=hosted,
        environment=VITRINE.environment,
        program="grpc_host",
        settings="grpc.aio on uvloop, nothing else",
    ),
    MOSEC,
)


def without_work(kind: Kind, answer: Path) -> Kind:
    """A server that answers everything with the bytes of a file."""
    variables = {**kind.variables, "PEER_ANSWER": str(answer.resolve())}
    return replace(kind, name=f"{kind.name} without work", variables=variables)
