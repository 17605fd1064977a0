"""How the bench itself speaks with a server that hosts the function."""

import http.client
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

METHOD = "/vitrine.api.ranking.v1.RankingService/Rank"
ROUTE = "/inference"
# For every server and every call.
TIMEOUT_SECONDS = 2
_START_SECONDS = 120.0


@contextmanager
def over_grpc(address: str) -> Iterator[Callable[[bytes], bytes]]:
    """What sends the bytes of a request to a gRPC server; raises `grpc.RpcError`."""
    with grpc.insecure_channel(address) as channel:
        call: Callable[..., bytes] = channel.unary_unary(METHOD)
        yield lambda request: call(request, timeout=TIMEOUT_SECONDS)


@contextmanager
def over_http(address: str) -> Iterator[Callable[[bytes], bytes]]:
    """Likewise over HTTP; raises `OSError` or `http.client.HTTPException`."""

    def answer(request: bytes) -> bytes:
        connection = http.client.HTTPConnection(address, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", ROUTE, request)
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise http.client.HTTPException(f"status {response.status}: {response.read()[:200]!r}")
            return response.read()
        finally:
            connection.close()

    yield answer


def wait_ready(
    process: "subprocess.Popen[bytes]", answer: Callable[[bytes], bytes], request: bytes, log: Path
) -> None:
    """Waits until a server has answered a request.

    Raises:
        RuntimeError: It ended, or did not do so in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            answer(request)
        except (grpc.RpcError, OSError, http.client.HTTPException):
            if process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            said = log.read_text(errors="replace").splitlines()[-8:]
            raise RuntimeError(f"{log.stem} does not serve; the last lines of its log: {said}") from None
        return
