"""`python -m tests.load`, which `scripts/bench` and `make bench` run: load a server with ghz, write a report."""

import argparse
import fcntl
import shutil
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.load import machine, shop
from tests.load.answers import verify
from tests.load.ghz import METHODS
from tests.load.measure import Bench, pinned
from tests.load.report import Report, render
from tests.load.traffic import EVENTS_PER_CALL, Traffic
from vitrine.app.process import ServerProcess
from vitrine.errors import VitrineError

COMMITTED = Path("tests/load/report.md")
SCRATCH = Path(".bench/report.md")
LOG = Path(".bench/server.log")
STANDARD = {"items": 100_000, "shoppers": 50_000, "seconds": 15.0}
QUICK = {"items": 2_000, "shoppers": 500, "seconds": 1.0}


def arguments(argv: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Load-test a server with ghz, write a report."
    )
    parser.add_argument("--items", type=int, help="size of the catalogue (100,000)")
    parser.add_argument("--shoppers", type=int, help="number of shoppers (50,000)")
    parser.add_argument("--seconds", type=float, help="length of each run (15)")
    parser.add_argument("--days", type=int, default=90, help="length of the simulated history (90)")
    parser.add_argument("--callers", type=int, default=8, help="calls in flight in the closed loop (8)")
    parser.add_argument(
        "--server-cores",
        type=int,
        default=1,
        help="cores for the server, the rest for ghz; 0: no pinning (1)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a small shop and runs of a second: does it work at all?"
    )
    parser.add_argument("--fresh", action="store_true", help="simulate, train and load again")
    parser.add_argument(
        "--out", type=Path, help=f"the report ({COMMITTED} at standard sizes, else {SCRATCH})"
    )
    options = parser.parse_args(argv)
    for name, value in (QUICK if options.quick else STANDARD).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    standard = all(getattr(options, name) == value for name, value in STANDARD.items())
    options.out = options.out or (COMMITTED if standard else SCRATCH)
    return options


def main(argv: list[str]) -> int:
    """Runs everything; 0 when every call of every run ended well."""
    # SIGTERM unwinds like Ctrl-C, so that the server is stopped then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments(argv)
    shop.FOLDER.mkdir(exist_ok=True)
    with (shop.FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("another bench is running here: wait for it, or stop it") from None
        report = measure(options, argv)
    options.out.write_text(render(report), encoding="utf-8")
    say(f"the report is at {options.out}")
    return 1 if any(run.output.errors for run in report.runs) else 0


def measure(options: argparse.Namespace, argv: list[str]) -> Report:
    """Prepares the shop, serves it, and runs ghz against it."""
    made = shop.prepare(
        items=options.items,
        shoppers=options.shoppers,
        days=options.days,
        seed=7,
        fresh=options.fresh,
        say=say,
    )
    cores = machine.cores()
    split = options.server_cores if 0 < options.server_cores < len(cores) else 0
    # RecordEvents writes: to a copy, so that the next run begins where this one did.
    live = shop.FOLDER / "live"
    shutil.rmtree(live, ignore_errors=True)
    shutil.copytree(made.store, live)
    LOG.unlink(missing_ok=True)
    say("starting the server …")
    server = ServerProcess(bundle=made.bundle, store=live, as_of=made.as_of, log=LOG)
    try:
        with pinned(cores[:split]):
            server.start()
        say(f"ready after {server.ready_seconds:.1f} s; making requests …")
        traffic = Traffic(made.data)
        asked = traffic.reads(server.address)
        asked["record_events"] = (
            f"batches of {EVENTS_PER_CALL} events, drawn from the latest 500,000, each with a new identifier"
        )
        nonce = f"bench{time.time_ns():x}"
        verify(server.address, traffic, nonce)
        runs = Bench(
            server,
            traffic,
            callers=options.callers,
            seconds=options.seconds,
            nonce=nonce,
            cores=cores[split:] if split else [],
            say=say,
        ).all()
    finally:
        server.stop()
        shutil.rmtree(live, ignore_errors=True)
    facts = made.manifest
    return Report(
        command=" ".join(["scripts/bench", *argv]),
        date=datetime.now(UTC),
        machine=machine.machine(),
        versions=machine.versions(),
        shop={
            "items": f"{facts.items:,}",
            "shoppers": f"{options.shoppers:,}",
            "events": f"{facts.events:,} over {options.days} days",
            "server": "`vitrine serve`, four services in one process, embedded store, synchronous commits",
            "cores": f"{split} for the server, {len(cores) - split} for ghz"
            if split
            else f"{len(cores)}, shared with ghz",
            "start": f"{server.ready_seconds:.1f} s until healthy",
        },
        requests={METHODS[config]: asked[config] for config in METHODS},
        events_per_call=EVENTS_PER_CALL,
        runs=runs,
    )


def say(line: str) -> None:
    """Tells how far it is."""
    print(f"bench: {line}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, VitrineError) as error:
        sys.exit(f"bench: {error}\nbench: what the server said is in {LOG}")
