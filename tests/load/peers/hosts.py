"""The servers that host the function: how each is started, spoken to and ended."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.load.cpu import ONE_THREAD, pinned
from tests.load.metrics import samples
from tests.load.peers.family import MARK, Family
from tests.load.peers.function import own_catalog
from tests.load.peers.talk import TIMEOUT_SECONDS, over_grpc, over_http, wait_ready
from tests.load.rows.base import World
from vitrine.app.process import free_port

_MOSEC_CAPACITY = 1024


@dataclass(frozen=True, kw_only=True)
class Host:
    """A server that runs.

    Attributes:
        address: Where it listens.
        family: Its processes.
        answer: Sends the bytes of a request and returns those of the answer.
        lacked: Answers how often a part of an answer was missing so far, part -> times: a server that leaves out what
            it has no time for does less than one that does not.
    """

    address: str
    family: Family
    answer: Callable[[bytes], bytes]
    lacked: Callable[[], Mapping[str, float]] = dict


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """A server to be measured.

    Attributes:
        name: As in the table.
        grpc: Whether it speaks gRPC, and is loaded with ghz; else HTTP, with vegeta.
        start: Starts it over a world, until the block ends.
        settings: What a reader should know of how it runs.
        environment: The folder of its Python environment.
        everywhere: Whether it may use all cores, the generator's too; else it is pinned to the server's.
        program: The module of this folder that hosts the function in it.
        variables: Of its environment.
    """

    name: str
    grpc: bool
    start: Callable[[World, "Kind", bytes], AbstractContextManager[Host]]
    settings: str
    environment: Path
    everywhere: bool = False
    program: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def running(self, world: World, request: bytes = b"") -> Iterator[Host]:
        """Starts it on its cores, and ends all its processes.

        Args:
            world: What to host.
            request: A host is ready when it has answered it.

        Raises:
            RuntimeError: It did not start; says what its log says.
        """
        everything = (*world.server_cores, *world.generator_cores)
        with (
            pinned(everything if self.everywhere else world.server_cores),
            self.start(world, self, request) as host,
            pinned(everything),
        ):
            yield host


@contextmanager
def vitrine(world: World, _: Kind, __: bytes) -> Iterator[Host]:
    """Starts `vitrine serve` as it is by default, its four services in one process, over a world for a kind."""
    family = Family()
    with ExitStack() as stack:
        stack.callback(family.end)
        store = world.fresh_store()
        stack.callback(shutil.rmtree, store)
        os.environ.update(family.environment)
        try:
            server = stack.enter_context(world.server(store=store))
        finally:
            # What loads it is no part of it.
            del os.environ[MARK]
        answer = stack.enter_context(over_grpc(server.address))
        yield Host(
            address=server.address,
            family=family,
            answer=answer,
            lacked=lambda: _lacked(server.metrics_port),
        )


def _lacked(metrics_port: int) -> dict[str, float]:
    """Calls of rankers that did not end well, which `Rank` tells in its answers: by its metrics."""
    return {
        f"{sample.labels['component']} {sample.labels['outcome']}": sample.value
        for sample in samples(metrics_port)
        if sample.name == "vitrine_plugin_calls_total" and sample.labels["outcome"] != "ok"
    }


@contextmanager
def hosted(world: World, kind: Kind, request: bytes) -> Iterator[Host]:
    """Starts a host program of this folder, in the environment of its kind; ready when it has answered the request."""
    family, port = Family(), free_port()
    # Short: Unix sockets lie below it, whose paths may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as scratch:
        program = ["-m", f"tests.load.peers.{kind.program}"]
        if not kind.grpc:
            program += ["--address", "127.0.0.1", "--port", str(port), "--path", f"{scratch}/ipc"]
            program += ["--timeout", str(TIMEOUT_SECONDS * 1000), "--capacity", str(_MOSEC_CAPACITY)]
            program += ["--log-level", "warning"]
        log = world.scratch / f"{kind.environment.name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(kind.environment / "bin/python"), *program],
                stdout=output,
                stderr=output,
                env=_environment(world, kind, family, Path(scratch), port),
            )
        try:
            address = f"127.0.0.1:{port}"
            with over_grpc(address) if kind.grpc else over_http(address) as answer:
                wait_ready(process, answer, request, log)
                yield Host(address=address, family=family, answer=answer)
        finally:
            process.terminate()
            try:
                process.wait(20.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            family.end()


def _environment(world: World, kind: Kind, family: Family, scratch: Path, port: int) -> dict[str, str]:
    """What a host program reads, and whatever it starts."""
    return {
        **os.environ,
        **ONE_THREAD,
        **family.environment,
        **kind.variables,
        # Absolute: a server may work elsewhere.
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")])),
        "PEER_BUNDLE": str(world.shop.bundle.resolve()),
        "PEER_STORE": str(own_catalog(world.shop.store, scratch / "store")),
        "PEER_NOW": str(moment(world.shop.as_of)),
        "PEER_SCRATCH": str(scratch),
        "PEER_PORT": str(port),
        "PEER_HTTP_PORT": str(free_port()),
        "PEER_TIMEOUT": str(TIMEOUT_SECONDS),
        # Else Ray makes one and keeps it in the home directory.
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }


def moment(as_of: str) -> float:
    """Unix seconds of an ISO 8601 time."""
    return datetime.fromisoformat(as_of).timestamp()
