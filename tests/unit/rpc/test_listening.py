"""Where a server listens, and what is said when it cannot."""

import socket
import urllib.request

import pytest

from vitrine.errors import ConfigError
from vitrine.rpc.listening import authority
from vitrine.rpc.metrics import Metrics
from vitrine.rpc.server import GrpcServer

# Documentation addresses: no machine has them.
NOT_OURS = ("192.0.2.1", "2001:db8::1")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1:5"),
        ("localhost", "localhost:5"),
        ("::1", "[::1]:5"),
        ("[::1]", "[::1]:5"),
        ("::", "[::]:5"),
    ],
)
def test_an_address_of_ipv6_is_bracketed(host: str, expected: str) -> None:
    assert authority(host, 5) == expected


@pytest.mark.parametrize("host", NOT_OURS)
async def test_an_address_of_another_machine_is_named_as_such(host: str) -> None:
    with pytest.raises(ConfigError, match=r"this machine has no address .*--host") as refused:
        await GrpcServer({}, Metrics()).start(host, 0)
    assert host in str(refused.value)
    assert "taken" not in str(refused.value)
    with pytest.raises(ConfigError, match=r"this machine has no address .*--host"):
        Metrics().expose(host, 0)


async def test_a_name_that_nobody_has_is_named_as_such() -> None:
    with pytest.raises(ConfigError, match=r"'no such host' is no address or name .*--host"):
        await GrpcServer({}, Metrics()).start("no such host", 0)
    with pytest.raises(ConfigError, match=r"'no such host' is no address or name .*--host"):
        Metrics().expose("no such host", 0)


async def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} on 127\.0\.0\.1 is taken; .*--port"):
            await GrpcServer({}, Metrics()).start("127.0.0.1", port)
        with pytest.raises(ConfigError, match=rf"port {port} for metrics is taken; .*--metrics-port"):
            Metrics().expose("127.0.0.1", port)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
async def test_it_listens_on_ipv6(host: str) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    server = GrpcServer({}, Metrics())
    port = await server.start(host, 0)
    socket.create_connection(("::1", port), 5).close()
    await server.stop(0)
    shown = Metrics().expose(host, 0)
    socket.create_connection(("::1", shown.port), 5).close()
    shown.close()


def test_metrics_are_on_the_given_interface_alone() -> None:
    shown = Metrics().expose("127.0.0.1", 0)
    with urllib.request.urlopen(f"http://127.0.0.1:{shown.port}/metrics", timeout=5) as page:
        assert b"vitrine_rpc_seconds" in page.read()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", shown.port), 5)
    shown.close()
