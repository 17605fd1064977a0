"""`python -m tests.load`, which `scripts/bench` and `make bench` run: measures all rows of docs/performance.md."""

import argparse
import fcntl
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.load import check, machine, modules, plots, shop
from tests.load.page import Page, render, steps
from tests.load.row import Row
from tests.load.shop import Shop
from tests.load.suite import Suite, results
from vitrine.errors import VitrineError

DOCS = Path("docs")
STANDARD = {"items": 100_000, "shoppers": 50_000, "seconds": 10.0}
QUICK = {"items": 2_000, "shoppers": 500, "seconds": 1.0}


def arguments(argv: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures how fast it is.")
    parser.add_argument("--items", type=int, help="size of the catalogue (100,000)")
    parser.add_argument("--shoppers", type=int, help="number of shoppers (50,000)")
    parser.add_argument("--seconds", type=float, help="length of the runs that count (10)")
    parser.add_argument(
        "--shop", type=Path, help="a shop that was made before, instead of one of those sizes"
    )
    parser.add_argument("--fresh", action="store_true", help="simulate, train and load it again")
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", choices=modules.names(), help="measure these anew"
    )
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page again")
    parser.add_argument("--quick", action="store_true", help="a small shop, short runs: does it work at all?")
    parser.add_argument(
        "--check", action="store_true", help="quick, and compare the ratios with those that are committed"
    )
    parser.add_argument(
        "--keep", action="store_true", help="quick, and write down the ratios to compare with"
    )
    parser.add_argument("--out", type=Path, help="folder of the page (docs at standard sizes, else .bench)")
    options = parser.parse_args(argv)
    options.quick = options.quick or options.check or options.keep
    for name, value in (QUICK if options.quick else STANDARD).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    standard = all(getattr(options, name) == value for name, value in STANDARD.items())
    options.out = options.out or (DOCS if standard else shop.FOLDER)
    return options


def main(argv: list[str]) -> int:
    """Measures and writes; 0 when every module of rows ended well and, with ``--check``, no ratio is worse."""
    # SIGTERM unwinds like Ctrl-C, so that servers are stopped then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments(argv)
    shop.FOLDER.mkdir(exist_ok=True)
    with (shop.FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError("another bench is running here: wait for it, or stop it") from None
        # Not its arguments where the page is committed: a path of this machine may be among them.
        return bench(options, "make bench" if options.out == DOCS else " ".join(["scripts/bench", *argv]))


def bench(options: argparse.Namespace, command: str) -> int:
    """As `main`, for options that were read."""
    began = time.monotonic()
    made = Shop(options.shop) if options.shop else _made(options)
    folder = results(made)
    folder.mkdir(parents=True, exist_ok=True)
    timed = folder / "minutes.json"
    minutes: dict[str, float] = msgspec.json.decode(timed.read_bytes()) if timed.exists() else {}
    measured = [] if options.page else options.only or modules.names()
    for name in measured:
        say(f"{name} …")
        started = time.monotonic()
        for row in modules.run(f"{modules.PACKAGE}{name}", _told(made, options), folder / f"{name}.json"):
            say(f"  {row.what}: {'–' if row.value is None else f'{row.value:.3f}'} {row.note}")
        minutes[name] = (time.monotonic() - started) / 60
        timed.write_bytes(msgspec.json.encode(minutes))
    rows = {name: modules.kept(folder / f"{name}.json") for name in modules.names()}
    every = [row for of in rows.values() for row in of]
    write(options.out, command, sum(minutes.get(name, 0.0) for name in rows), made, every)
    say(f"the page is {options.out / 'performance.md'}; {(time.monotonic() - began) / 60:.0f} minutes")
    failed = [row for name in measured for row in rows[name] if row.what.startswith(f"`{modules.PACKAGE}")]
    return 1 if ratios(options, every) or failed else 0


def write(out: Path, command: str, minutes: float, made: Shop, rows: list[Row]) -> None:
    """Writes the page and its pictures."""
    suite = results(made) / "suite.json"
    found = msgspec.json.decode(suite.read_bytes(), type=Suite) if suite.exists() else None
    beside = out / "performance"
    beside.mkdir(parents=True, exist_ok=True)
    pictures = plots.draw(found, beside) if found else {}
    facts = made.manifest
    page = Page(
        command=command,
        date=datetime.now(UTC),
        minutes=minutes,
        machine={**machine.machine(), **machine.versions()},
        shop={
            "shop": f"simulated, {facts.items:,} items, {facts.events:,} events",
            "models": f"bundle of {', '.join(sorted(p.stem for p in (made.bundle / 'models').glob('*')))}",
            "server": "`vitrine serve`, four services in one process, embedded store, synchronous commits",
        },
        rows=rows,
        suite=found,
        pictures={title: str(path.relative_to(out)) for title, path in pictures.items()},
        steps=steps(),
        extra=[
            path.read_text(encoding="utf-8").strip() for path in sorted((DOCS / "performance").glob("*.md"))
        ],
    )
    (out / "performance.md").write_text(render(page), encoding="utf-8")


def ratios(options: argparse.Namespace, rows: list[Row]) -> bool:
    """Writes the ratios down, or compares them; whether one is worse."""
    committed = DOCS / "performance" / "ratios.json"
    known = msgspec.json.decode(committed.read_bytes()) if committed.exists() else {}
    if options.check:
        if "quick" not in known:
            raise RuntimeError(
                f"{committed} has no ratios of a quick bench: make them with scripts/bench --keep"
            )
        verdicts = check.compare(rows, known["quick"])
        say("ratios, before → now:\n" + check.table(verdicts))
        return any(not verdict.good for verdict in verdicts)
    if options.keep or options.out == DOCS:
        known["quick" if options.quick else "full"] = check.ratios(rows)
        committed.parent.mkdir(parents=True, exist_ok=True)
        committed.write_bytes(msgspec.json.format(msgspec.json.encode(known, order="sorted")) + b"\n")
    return False


def _made(options: argparse.Namespace) -> Shop:
    return shop.prepare(
        items=options.items, shoppers=options.shoppers, days=90, seed=7, fresh=options.fresh, say=say
    )


def _told(made: Shop, options: argparse.Namespace) -> list[str]:
    return ["--shop", str(made.folder), "--seconds", str(options.seconds)]


def say(line: str) -> None:
    """Tells how far it is."""
    print(f"bench: {line}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, VitrineError) as error:
        sys.exit(f"bench: {error}")
