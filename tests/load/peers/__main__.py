"""`python -m tests.load.peers`, which `make bench-peers` runs: the same function in Vitrine, mosec and Ray Serve."""

import argparse
import fcntl
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.load import ghz, machine, shop
from tests.load.keeping import keep
from tests.load.peers import figures, page, vegeta
from tests.load.peers.compare import compare
from tests.load.rows.base import World
from tests.load.shop import Shop
from vitrine.errors import VitrineError

_SCRATCH = shop.FOLDER / "peers"


def main(argv: list[str]) -> int:
    """Runs everything, and writes the page and the figures beside it."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench-peers",
        description="Host the same ranking function in Vitrine, mosec and Ray Serve, and compare what each costs.",
    )
    parser.add_argument(
        "--shop", type=Path, help="as made by tests/load/shop.py (100,000 items, made if need be)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the runs that count (10)")
    parser.add_argument(
        "--out", type=Path, help=f"the folder of both files ({figures.KEPT.parent}, without --shop)"
    )
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page again")
    options = parser.parse_args(argv)
    folder = options.out or (_SCRATCH if options.shop else figures.KEPT.parent)
    if options.page:
        if (known := figures.kept(folder / figures.KEPT.name)) is None:
            raise RuntimeError(f"{folder / figures.KEPT.name} is missing: run again without --page")
        return _written(known, folder)
    # SIGTERM unwinds like Ctrl-C, so that the servers are ended then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    cores = machine.cores()
    if len(cores) < 2:
        raise RuntimeError("one core is for the server and another for what loads it: two are needed")
    shop.FOLDER.mkdir(exist_ok=True)
    with (
        (shop.FOLDER / "lock").open("w") as lock,
        TemporaryDirectory(prefix="rows-", dir=shop.FOLDER) as scratch,
    ):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("another bench is running here: wait for it, or stop it") from None
        world = World(
            shop=Shop(options.shop) if options.shop else _standard(),
            server_cores=cores[:1],
            generator_cores=cores[1:],
            seconds=options.seconds,
            scratch=Path(scratch),
            say=say,
        )
        commit = machine.commit()
        compared = compare(world)
    manifest = world.shop.manifest
    result = figures.Result(
        command=" ".join(["scripts/bench-peers", *argv]) if argv else "make bench-peers",
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        minutes=(time.monotonic() - began) / 60,
        machine={
            **machine.machine(),
            "ghz": ghz.VERSION.read_text(encoding="utf-8").strip(),
            "vegeta": vegeta.VERSION.read_text(encoding="utf-8").strip(),
            "commit": commit,
            "catalogue": f"{manifest.items:,} items",
            "cores": f"1 for the server, {len(cores) - 1} for what loads it",
        },
        **compared,
    )
    keep(result, folder / figures.KEPT.name)
    return _written(result, folder)


def _written(result: figures.Result, folder: Path) -> int:
    """Writes the page; 1 when a server failed."""
    (folder / page.PAGE.name).write_text(page.render(result), encoding="utf-8")
    say(f"the page is at {folder / page.PAGE.name}")
    return 1 if any(server.errors or not server.peak for server in result.servers.values()) else 0


def _standard() -> Shop:
    return shop.prepare(items=100_000, shoppers=50_000, days=90, seed=7, fresh=False, say=say)


def say(line: str) -> None:
    """Tells how far it is."""
    print(f"bench-peers: {line}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, VitrineError) as error:
        sys.exit(f"bench-peers: {error}")
