"""A server as a process of its own, for the demo, the tests and the benchmark."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from vitrine.errors import ConfigError

START_SECONDS = 120.0
STOP_SECONDS = 15.0


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """Runs `vitrine serve` until the block ends; ready when the block begins.

    Args:
        service: One of the services, or "" for all in one process.
        bundle: Its bundle.
        store: Its store.
        as_of: The day to serve, ISO 8601; "" for now.
        args: Further arguments.
        log: Where its output goes; unless told, its log goes to this process's standard error.
        port: Where it listens; any free port unless told.
        python: The interpreter, of another environment perhaps; this process's unless told.

    Attributes:
        address: Where it listens.
        metrics_port: Where its metrics are.
        ready_seconds: How long it took to start.
    """

    def __init__(
        self,
        service: str = "",
        *,
        bundle: Path | None = None,
        store: Path | None = None,
        as_of: str = "",
        args: tuple[str, ...] = (),
        log: Path | None = None,
        port: int = 0,
        python: Path | None = None,
    ) -> None:
        self.port, self.metrics_port = port or free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.ready_seconds = 0.0
        self._log = log
        self._command = [str(python or sys.executable), "-m", "vitrine", "serve"]
        self._command += [service] if service else []
        self._command += [
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--metrics-port",
            str(self.metrics_port),
        ]
        for option, value in (("--bundle", bundle), ("--store", store), ("--as-of", as_of)):
            self._command += [option, str(value)] if value else []
        self._command += args
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise ConfigError("the server has not been started")
        return self._process.pid

    def start(self) -> Self:
        """Starts it and waits until it is healthy.

        Raises:
            ConfigError: It ended, or was not ready in time.
        """
        started = time.monotonic()
        output = self._log.open("ab") if self._log else None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command, stdout=output or subprocess.DEVNULL, stderr=output, env={**os.environ}
            )
        finally:
            if output:
                output.close()
        with grpc.insecure_channel(self.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            while not self._healthy(health):
                if self._process.poll() is not None:
                    raise ConfigError(f"the server ended at once with code {self._process.returncode}")
                if time.monotonic() - started > START_SECONDS:
                    self.kill()
                    raise ConfigError(f"the server was not ready within {START_SECONDS:.0f} s")
                time.sleep(0.05)
        self.ready_seconds = time.monotonic() - started
        return self

    def _healthy(self, health: Any) -> bool:
        try:
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1.0)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def stop(self) -> int:
        """Asks it to end, and answers its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """Ends it as a power cut would."""
        return self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
