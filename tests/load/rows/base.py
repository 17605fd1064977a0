"""What rows of docs/performance.md are measured on, and how a module of rows is run alone."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from tests.load.cpu import ONE_THREAD, cpu_seconds, pinned
from tests.load.machine import cores
from tests.load.row import Row
from tests.load.shop import FOLDER, Shop
from vitrine.app.process import ServerProcess

__all__ = ["ONE_THREAD", "Row", "Rows", "World", "cpu_seconds", "main", "pinned"]


@dataclass(frozen=True, kw_only=True)
class World:
    """What rows are measured on.

    Attributes:
        shop: ``.data``, ``.bundle``, ``.store`` (copy it, `fresh_store`), ``.as_of``, ``.manifest``.
        server_cores: For what is measured.
        generator_cores: For what loads it.
        seconds: About how long a run should be; the quick bench says 1, the whole one 10.
        scratch: A folder of this row's own, removed afterwards.
        say: Told how far it is.
    """

    shop: Shop
    server_cores: Sequence[int]
    generator_cores: Sequence[int]
    seconds: float
    scratch: Path
    say: Callable[[str], None]

    def fresh_store(self) -> Path:
        """A new copy of the store, to be written to."""
        number = sum(1 for _ in self.scratch.glob("store-*"))
        copy = Path(shutil.copytree(self.shop.store, self.scratch / f"store-{number}"))
        # Else the first commits of a server wait seconds for the disk to take the copy.
        os.sync()
        return copy

    @contextmanager
    def server(
        self, *args: str, service: str = "", store: Path | None = None, port: int = 0
    ) -> Iterator[ServerProcess]:
        """`vitrine serve` on the server's cores with further arguments; over a copy of the store unless told one."""
        log = self.scratch / "server.log"
        server = ServerProcess(
            service,
            bundle=self.shop.bundle,
            store=store or self.fresh_store(),
            as_of=self.shop.as_of,
            args=args,
            log=log,
            port=port,
        )
        try:
            with pinned(self.server_cores):
                server.start()
            yield server
        except Exception as error:
            said = log.read_text(errors="replace").splitlines() if log.exists() else []
            raise RuntimeError(f"{error}; the server's last line: {' '.join(said[-1:])}") from error
        finally:
            server.stop()

    def child(self, module: str, *args: str) -> Any:
        """Runs ``python -m module args``, one thread, on the server's cores; what it prints last, read as JSON.

        Raises:
            RuntimeError: It failed.
        """
        with pinned(self.server_cores):
            done = subprocess.run(
                [sys.executable, "-m", module, *args],
                env={**os.environ, **ONE_THREAD},
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            raise RuntimeError(f"{module} failed: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout.splitlines()[-1])


Rows = Callable[[World], Iterator[Row]]


def main(rows: Rows, argv: Sequence[str] | None = None) -> None:
    """Runs a module of rows alone: ``if __name__ == "__main__": main(rows)``; a row a line on standard output."""
    parser = argparse.ArgumentParser(description="Measures some rows of docs/performance.md.")
    parser.add_argument(
        "--shop", type=Path, default=FOLDER / "shop-2000x500-90d-s7", help="as made by tests/load/shop.py"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long a run takes")
    parser.add_argument("--server-cores", type=int, default=1, help="the rest is the generator's; 0: shared")
    parser.add_argument("--out", type=Path, help="also write the rows there, as JSON")
    options = parser.parse_args(argv)
    # SIGTERM unwinds like Ctrl-C, so that servers are stopped then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    every = cores()
    split = options.server_cores if 0 < options.server_cores < len(every) else 0
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="rows-", dir=FOLDER) as scratch:
        world = World(
            shop=Shop(options.shop),
            server_cores=every[:split],
            generator_cores=every[split:] if split else (),
            seconds=options.seconds,
            scratch=Path(scratch),
            say=lambda line: print(f"bench: {line}", file=sys.stderr, flush=True),
        )
        made = []
        for row in rows(world):
            made.append(row)
            print(msgspec.json.encode(row).decode(), flush=True)
            if options.out:
                options.out.parent.mkdir(parents=True, exist_ok=True)
                # Under another name until it is whole: who is ended here leaves what can be read.
                partial = options.out.with_suffix(".partial")
                partial.write_bytes(msgspec.json.format(msgspec.json.encode(made)))
                partial.replace(options.out)
