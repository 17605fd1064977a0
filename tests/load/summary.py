"""The first section of docs/performance.md: what one core does, what that means for a shop, and what is not reached."""

from collections.abc import Sequence

from tests.load.ghz import METHODS
from tests.load.markdown import number
from tests.load.row import Row
from tests.load.suite import Measured, Suite

# For how many windows a second the cores are told.
_WINDOWS = 1_000


def summary(rows: Sequence[Row], suite: Suite | None) -> str:
    """What to know before the figures, a line each."""
    lines = []
    if suite:
        lines += [_does(name, measured) for name, measured in suite.methods.items()]
        if "recommend" in suite.methods:
            lines.append(_sizing(suite.methods["recommend"]))
    lines += [f"{row.short}." for row in rows if row.short]
    bounded = [row for row in rows if row.bound is not None]
    missed = [row for row in bounded if row.reached is False]
    unknown = [row for row in bounded if row.reached is None]
    reached = len(bounded) - len(missed) - len(unknown)
    told = f"Of {len(bounded)} figures that were to be reached, {reached} {'is' if reached == 1 else 'are'}"
    if unknown:
        told += f", {len(unknown)} {'was' if len(unknown) == 1 else 'were'} not measured"
    lines.append(
        f"{told}, and {len(missed) or 'none'} {'is' if len(missed) == 1 else 'are'} not{':' * bool(missed)}"
    )
    lines += [f"  {_missed(row)}" for row in missed]
    return "\n".join(f"{'  ' * line.startswith('  ')}- {line.strip()}" for line in lines)


def _does(name: str, measured: Measured) -> str:
    half = measured.half
    if not measured.peak:
        return f"`{METHODS[name]}`: no rate was held."
    return (
        f"`{METHODS[name]}` on one core: {measured.peak} calls/s at most; at half of that, {number(half.p50)} ms at the median "
        f"and {number(half.p99)} ms at p99, {number(half.cpu)} ms of CPU a call."
    )


def _sizing(measured: Measured) -> str:
    """Cores by a rule of thumb: half of the peak, where tails are short."""
    half = measured.half
    if not half.rate:
        return "No rate was held: nothing can be said of the cores that a shop needs."
    return (
        f"Sizing: {_WINDOWS:,} windows a second take {_WINDOWS * half.cpu / 1000:.0f} cores' time, so some "
        f"{_WINDOWS / half.rate:.0f} such cores at half of the peak, where p99 is what it is above; "
        "fewer for shoppers with shorter histories (those asked for are told below)."
    )


def _missed(row: Row) -> str:
    value = "nothing" if row.value is None else number(row.value)
    why = f": {row.missed}" if row.missed else ""
    return f"{row.what}: {value} instead of {row.reach}{why}."
