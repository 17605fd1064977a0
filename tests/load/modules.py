"""The modules of rows: which there are, and each in a process of its own, so that one that fails loses no other."""

import subprocess
import sys
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
)
# Seconds until a module is given up, and how much longer it has to stop its servers.
_PATIENCE, _LONGER = 420.0, {"million": 600.0, "latency": 600.0}
_GRACE = 30.0
_LAST_WORDS = 300


def names() -> list[str]:
    """All modules."""
    found = {path.stem for path in FOLDER.glob("*.py")} - {"base", "__init__"}
    return sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def run(module: str, arguments: list[str], out: Path) -> list[Row]:
    """Runs a module; its rows are kept at ``out``, and the last one says what failed, if anything did."""
    out.unlink(missing_ok=True)
    log = out.with_suffix(".log")
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments, "--out", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=said,
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
        rows.append(Row(what=f"`{module}`", value=None, note=f"{why}: {last}"))
        out.write_bytes(msgspec.json.encode(rows))
    return rows


def kept(out: Path) -> list[Row]:
    """The rows that a run left; none where there was none."""
    return msgspec.json.decode(out.read_bytes(), type=list[Row]) if out.exists() else []


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
