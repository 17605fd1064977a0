"""The regression check: ratios beside those that were committed, never times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.load.ratios import FILE, Ratio, ratios
from tests.load.row import Row


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of one ratio.

    Attributes:
        what: The row, or the row and a part of it.
        row: The row.
        before: As committed; ``None`` for a new one.
        now: As measured; ``None`` where it was not.
        limit: The worst that passes.
        good: Whether it passes.
        better: Whether it is so much better that what is committed would let it get worse again unnoticed.
    """

    what: str
    row: str
    before: float | None
    now: float | None
    limit: float | None
    good: bool
    better: bool = False


def compare(rows: Sequence[Row], committed: Mapping[str, float], *, whole: bool = True) -> list[Verdict]:
    """Compares rows with what was committed.

    Args:
        rows: As measured.
        committed: What they are compared with.
        whole: Whether these should be all rows: then one that is no longer measured fails. A new one passes.
    """
    found = list(ratios(rows))
    # A part that is too small to be committed would be new each time.
    verdicts = [
        _verdict(one, committed.get(one.what)) for one in found if one.counts or one.what in committed
    ]
    gone = committed.keys() - {one.what for one in found} if whole else ()
    verdicts += [
        Verdict(what=what, row=what, before=committed[what], now=None, limit=None, good=False)
        for what in sorted(gone)
    ]
    return verdicts


def _verdict(ratio: Ratio, before: float | None) -> Verdict:
    now, limit, good, better = ratio.value, None, True, False
    if before is not None:
        times = ratio.tolerance if ratio.at_most else 1 / ratio.tolerance
        limit, other = before * times, before / times
        good = now is not None and (now <= limit if ratio.at_most else now >= limit)
        better = now is not None and (now < other if ratio.at_most else now > other)
    return Verdict(
        what=ratio.what, row=ratio.row, before=before, now=now, limit=limit, good=good, better=better
    )


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
        part = verdict.what.removeprefix(f"{verdict.row}: ")
        what = verdict.what if part == verdict.what else f"{part} – of: {verdict.row}"
        lines.append(f"{_told(verdict):<12} {before:>8} → {now:>8}   limit {limit:>8}   {what}")
    return "\n".join(lines)


def _told(verdict: Verdict) -> str:
    if not verdict.good:
        return "WORSE" if verdict.now is not None else "NOT MEASURED"
    if verdict.before is None:
        return "new"
    return "better" if verdict.better else "ok"


def advice(verdicts: Sequence[Verdict]) -> str:
    """What to do now."""
    worse = sum(not verdict.good and verdict.now is not None for verdict in verdicts)
    missed = sum(not verdict.good and verdict.now is None for verdict in verdicts)
    told = []
    if worse:
        told.append(
            f"{worse} worse than {FILE} allows, twice in a row: find the change that made it so or, where it is meant, write "
            "the new ones down with scripts/bench --keep and commit them"
        )
    if missed:
        told.append(
            f"{missed} not measured: what failed is told above; what was renamed or is gone is forgotten by scripts/bench --keep"
        )
    if any(verdict.better for verdict in verdicts):
        told.append(
            "what is better may get worse again unnoticed: write it down with scripts/bench --keep and commit it"
        )
    return "; ".join(told) or "no ratio is worse"
