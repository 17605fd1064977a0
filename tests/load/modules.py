"""The modules of rows: which there are, and each in a process of its own, so that one that fails loses no other."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from tests.load.row import Row

FOLDER = Path("tests/load/rows")
PACKAGE = "tests.load.rows."
# In the order of the page; what is not named comes last.
_ORDER = (
    "over_grpc",
    "bare",
    "processes",
    "workers",
    "latency",
    "peers",
    "record_events",
    "freshness",
    "batch_profiles",
    "million",
    "profile_memory",
    "startup",
    "gpu",
)
# Those that read what was measured elsewhere; each of their rows says when.
ELSEWHERE = frozenset({"peers", "gpu"})
# Seconds until a module is given up, and how much longer it has to stop its servers.
_PATIENCE, _LONGER = 420.0, {"million": 600.0, "latency": 600.0}
_GRACE = 30.0
_LAST_WORDS = 300


def names() -> list[str]:
    """All modules."""
    found = {path.stem for path in FOLDER.glob("*.py")} - {"base", "__init__"}
    return sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def run(module: str, arguments: list[str], out: Path) -> list[Row]:
    """Runs a module; its rows are kept at ``out``. What it failed to measure is among them, and why."""
    before = kept(out)
    out.unlink(missing_ok=True)
    log = out.with_suffix(".log")
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, "--out", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=said,
            # A group of its own: what it leaves behind when it has to be killed can be found.
            start_new_session=True,
        )
        why = ""
        try:
            if code := process.wait(_LONGER.get(module.removeprefix(PACKAGE), _PATIENCE)):
                why = f"ended with code {code}"
        except subprocess.TimeoutExpired:
            why = "took too long"
        finally:
            _end(process)
    rows = kept(out)
    if why:
        # The last line of a traceback, without the path of this machine.
        last = next(iter(reversed(log.read_text(errors="replace").splitlines())), "")
        last = last.replace(f"{Path.cwd()}/", "")[:_LAST_WORDS]
        rows += _missing(f"`{module}`", before, rows, f"failed: it {why}: {last}")
        out.write_bytes(msgspec.json.encode(rows))
    return rows


def _missing(module: str, before: Sequence[Row], now: Sequence[Row], why: str) -> list[Row]:
    """The rows of an earlier run that this one has not, without figures; one for the module when it had all of them."""
    measured = {module, *(row.what for row in now)}
    gone = [replace(row, value=None, parts={}, details={}) for row in before if row.what not in measured]
    return [replace(row, note=why, failed=True) for row in gone or [Row(what=module, value=None)]]


def kept(out: Path) -> list[Row]:
    """The rows that a run left; none where there was none."""
    return msgspec.json.decode(out.read_bytes(), type=list[Row]) if out.exists() else []


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    if process.poll() != 0:
        # Servers of a module that was killed would take the time of those that come after.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
