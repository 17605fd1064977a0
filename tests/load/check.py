"""The regression check: ratios beside those that were committed, never times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.load.row import Row

RATIOS = Path("docs/performance/ratios.json")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one ratio.

    Attributes:
        what: The row.
        before: As committed; ``None`` for a new one.
        now: As measured; ``None`` where it was not.
        limit: The worst that passes.
        good: Whether it passes.
    """

    what: str
    before: float | None
    now: float | None
    limit: float | None
    good: bool


def ratios(rows: Sequence[Row]) -> dict[str, float]:
    """What is committed."""
    return {row.what: round(row.value, 4) for row in rows if row.checked and row.value is not None}


def commit(kind: str, rows: Sequence[Row], path: Path = RATIOS) -> None:
    """Writes the ratios of one kind of bench down, "quick" or "full", beside those of the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {**_all(path), kind: ratios(rows)}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(known, order="sorted")) + b"\n")


def committed(kind: str, path: Path = RATIOS) -> dict[str, float]:
    """The ratios of one kind of bench.

    Raises:
        RuntimeError: There are none.
    """
    known = _all(path)
    if kind not in known:
        raise RuntimeError(f"{path} has no ratios of a {kind} bench: make them with scripts/bench --keep")
    return known[kind]


def _all(path: Path) -> dict[str, dict[str, float]]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, float]]) if path.exists() else {}


def compare(rows: Sequence[Row], committed: Mapping[str, float]) -> list[Verdict]:
    """Compares rows with what was committed; one that is no longer measured fails, a new one passes."""
    verdicts = []
    rows = [row for row in rows if row.checked]
    for row in rows:
        before = committed.get(row.what)
        if before is None:
            verdicts.append(Verdict(what=row.what, before=None, now=row.value, limit=None, good=True))
            continue
        limit = before * row.tolerance if row.at_most else before / row.tolerance
        good = row.value is not None and (row.value <= limit if row.at_most else row.value >= limit)
        verdicts.append(Verdict(what=row.what, before=before, now=row.value, limit=limit, good=good))
    gone = [what for what in committed if what not in {row.what for row in rows}]
    verdicts += [Verdict(what=w, before=committed[w], now=None, limit=None, good=False) for w in gone]
    return verdicts


def again(first: Sequence[Verdict], second: Sequence[Verdict]) -> list[Verdict]:
    """What is worse only once is noise: of what did not pass, the verdict of another run."""
    other = {verdict.what: verdict for verdict in second}
    return [verdict if verdict.good else other.get(verdict.what, verdict) for verdict in first]


def table(verdicts: Sequence[Verdict]) -> str:
    """The verdicts, a line each, those that fail first."""
    lines = []
    for verdict in sorted(verdicts, key=lambda v: v.good):
        before, now, limit = (
            "–" if value is None else f"{value:.3f}" for value in (verdict.before, verdict.now, verdict.limit)
        )
        told = "ok" if verdict.good else "WORSE" if verdict.now is not None else "NOT MEASURED"
        lines.append(f"{told:<12} {before:>8} → {now:>8}   limit {limit:>8}   {verdict.what}")
    return "\n".join(lines)
