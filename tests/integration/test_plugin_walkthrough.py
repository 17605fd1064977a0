"""The walk-through in plugins/README.md, run as it stands there."""

import re
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.installed import ROOT
from tests.support.overlay import Overlay, make_overlay
from tests.support.world import World
from vitrine.app.process import free_port

README = ROOT / "plugins" / "README.md"
BLOCK = re.compile(r"^```(bash|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
USUAL = "localhost:50051"
# By how a command begins: what it must print. What is run several times has as many.
PRINTS = {
    "vitrine plugin new": [r"pip install -e vitrine-fresh-first"],
    "vitrine plugins": [
        r"fresh_first .* ranker, settings .* loads",
        r"fresh_first",
        r"fresh_first .*process",
    ],
    "pytest": [r"\d+ passed"],
    "vitrine plugin try": [r"with fresh_first"],
    "vitrine config check": [r"fresh_first +│ 1 .* on\b"],
    "vitrine config fields": [r"half_life_days"],
    "vitrine recommend": [r"fresh_first 0?\.\d|fresh_first 1\b", r"fresh_first 0?\.\d|fresh_first 1\b"],
    "vitrine reload": [r"fingerprint|configuration"],
}


@dataclass
class Walker:
    """Runs commands as one would who reads along: in one folder, with a server in a first terminal."""

    overlay: Overlay
    folder: Path
    log: Path
    port: int = field(default_factory=free_port)
    printed: dict[str, list[str]] = field(default_factory=dict)
    server: subprocess.Popen[bytes] | None = None

    def write(self, block: str) -> None:
        """A block of configuration, in the file that its first line names; one more is put at the end."""
        name = block.splitlines()[0].removeprefix("# ")
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(block)

    def run(self, line: str) -> None:
        """One command."""
        words = shlex.split(line, comments=True)
        if words[0] == "cd":
            self.folder /= words[1]
        elif words[:2] == ["vitrine", "serve"]:
            self._serve(words)
        else:
            address = f"127.0.0.1:{self.port}"
            words = [address if word == USUAL else word for word in words]
            if words[1] in {"recommend", "reload"}:
                words += ["--address", address]
            for _ in range(5):
                done = self.overlay.run(self.overlay.scripts / words[0], *words[1:], cwd=self.folder)
                # A machine that does much else may be late at the first call, and then says so.
                if words[1] != "recommend" or "degraded" not in done.stdout:
                    break
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}{self._logged()}"
            for start in PRINTS:
                if line.startswith(f"{start} ") or line == start:
                    self.printed.setdefault(start, []).append(done.stdout)

    def _serve(self, words: list[str]) -> None:
        command = [str(self.overlay.scripts / words[0]), *words[1:], "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.server = subprocess.Popen(
                [*command, "--metrics-port", "0"],
                cwd=self.folder,
                env=self.overlay.environment,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 60
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            while True:
                assert self.server.poll() is None, self._logged()
                assert time.monotonic() < end, self._logged()
                try:
                    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1.0)
                except grpc.RpcError:
                    time.sleep(0.05)
                    continue
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
                time.sleep(0.05)

    def stop(self) -> None:
        """Ends the server, and nobody else's."""
        if self.server is not None:
            self.server.terminate()
            try:
                self.server.wait(20)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()

    def _logged(self) -> str:
        return self.log.read_text("utf-8") if self.log.exists() else ""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_command_does_what_it_says(world: World, tmp_path: Path) -> None:
    demo = tmp_path / ".demo"
    shutil.copytree(world.data, demo / "data")
    shutil.copytree(world.bundle, demo / "bundle")
    world.fresh_store(demo / "live")
    walker = Walker(make_overlay(tmp_path / "venv"), tmp_path, tmp_path / "server.log")
    blocks = BLOCK.findall(README.read_text("utf-8"))
    assert {kind for kind, _ in blocks} == {"bash", "toml"}
    try:
        for kind, block in blocks:
            if kind == "toml":
                walker.write(block)
            else:
                for line in block.splitlines():
                    walker.run(line)
    finally:
        walker.stop()
    assert {command: len(told) for command, told in walker.printed.items()} == {
        command: len(wanted) for command, wanted in PRINTS.items()
    }
    for command, wanted in PRINTS.items():
        for pattern, told in zip(wanted, walker.printed[command], strict=True):
            assert re.search(pattern, told), f"{command}: {pattern}\n{told}"
    assert not re.search(r"degraded|Traceback", "".join(walker.printed["vitrine recommend"]))


def test_the_rules_of_the_table_are_those_of_the_contract() -> None:
    """Both tiers have an answer in every row, and only the second stops everything."""
    _, _, table = README.read_text("utf-8").partition("## What stops what")
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in row] for row in rows if len(row) == 3]
    assert len(rows) == 15
    thread = {row[0]: row[1] for row in rows[1:]}
    assert all(row[2].startswith("yes") for row in rows[1:])
    assert {what for what, answer in thread.items() if answer.startswith("no:")} == {
        "spins",
        "holds the interpreter's lock",
        "leaks",
        "crashes",
        "changes the process it is in: its folder, its signals, filters of warnings",
    }
    assert all(answer.startswith(("yes:", "no:")) for answer in thread.values())
