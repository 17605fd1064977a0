"""`python -m tests.load`, which `scripts/bench` and `make bench` run: measures all rows of docs/performance.md."""

import argparse
import fcntl
import signal
import sys
from pathlib import Path

import msgspec

from tests.load import check, machine, modules, plots, ratios, readme, shop
from tests.load.measuring import Measuring
from tests.load.page import Page, render
from tests.load.shop import Shop
from tests.load.steps import steps
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
    known = ratios.committed("quick") if options.check else {}
    made = Shop(options.shop) if options.shop else _made(options)
    found = Measuring(results(made), ["--shop", str(made.folder), "--seconds", str(options.seconds)], say)
    measured = [] if options.page else options.only or modules.names()
    found.run(measured)
    good = not options.check or compared(found, measured, known, whole=not (options.only or options.page))
    failed = found.failed(measured)
    write(options.out, command, found, made)
    say(f"the page is {options.out / 'performance.md'}")
    if options.out == DOCS or (options.keep and not failed):
        ratios.commit("quick" if options.quick else "full", found.every())
    if measured:
        say(f"seconds by module:\n{found.table(measured)}")
    if failed:
        say(f"not everything was measured: see {', '.join(failed)} above")
    return 0 if good and not failed else 1


def compared(found: Measuring, measured: list[str], known: dict[str, float], *, whole: bool) -> bool:
    """Compares ratios with those that are committed; whether none is worse, or only once of two times.

    Args:
        found: Measures, and has what was measured.
        measured: The modules that were measured now; what the others measured once is not compared.
        known: What is committed.
        whole: Whether these are all modules.
    """

    def verdicts() -> list[check.Verdict]:
        return check.compare([row for name in measured for row in found.rows(name)], known, whole=whole)

    told = verdicts()
    worse = {verdict.row for verdict in told if not verdict.good}
    if again := [name for name in measured if any(row.what in worse for row in found.rows(name))]:
        say(f"measuring {', '.join(again)} once more: what is worse only once is noise")
        found.run(again)
        told = check.again(told, verdicts())
    say("ratios, before → now:\n" + check.table(told))
    say(check.advice(told))
    return all(verdict.good for verdict in told)


def write(out: Path, command: str, measured: Measuring, made: Shop) -> None:
    """Writes the page and its pictures and, where these are the committed ones, README's figures."""
    suite = results(made) / "suite.json"
    found = msgspec.json.decode(suite.read_bytes(), type=Suite) if suite.exists() else None
    beside = out / "performance"
    beside.mkdir(parents=True, exist_ok=True)
    pictures = plots.draw(found, beside) if found else {}
    facts = made.manifest
    page = Page(
        command=command,
        minutes=measured.minutes(),
        measured=measured.when(),
        machine={**machine.machine(), **machine.versions()},
        shop={
            "shop": f"simulated, {facts.items:,} items, {facts.events:,} events",
            "models": f"bundle of {', '.join(sorted(p.stem for p in (made.bundle / 'models').glob('*')))}",
            "server": "`vitrine serve`, four services in one process, embedded store, synchronous commits",
        },
        rows=measured.every(),
        suite=found,
        pictures={title: str(path.relative_to(out)) for title, path in pictures.items()},
        steps=steps(),
        extra=[
            path.read_text(encoding="utf-8").strip() for path in sorted((DOCS / "performance").glob("*.md"))
        ],
    )
    (out / "performance.md").write_text(render(page), encoding="utf-8")
    if out == DOCS and found:
        readme.put(page.rows, found)


def _made(options: argparse.Namespace) -> Shop:
    return shop.prepare(
        items=options.items, shoppers=options.shoppers, days=90, seed=7, fresh=options.fresh, say=say
    )


def say(line: str) -> None:
    """Tells how far it is."""
    print(f"bench: {line}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, VitrineError) as error:
        sys.exit(f"bench: {error}")
