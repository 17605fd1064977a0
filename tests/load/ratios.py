"""The ratios that are committed, those of rows and of their parts, for the regression check to compare with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.load.row import Row

FILE = Path("docs/performance/ratios.json")
# How many times worse than before a part of a row may be, and from which figure on it counts: what is smaller is noise.
PART_TOLERANCE, LEAST_PART = 1.5, 0.008


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A figure that is compared.

    Attributes:
        what: The row, or the row and a part of it.
        row: The row.
        value: As measured; ``None`` where it was not.
        at_most: As of `Row`; so is the next one.
        tolerance: How many times worse than before it may be.
    """

    what: str
    row: str
    value: float | None
    at_most: bool
    tolerance: float

    @property
    def counts(self) -> bool:
        """Whether it is large enough to be compared."""
        return self.what == self.row or (self.value or 0.0) >= LEAST_PART


def ratios(rows: Sequence[Row]) -> Iterator[Ratio]:
    """Those of rows and of their parts."""
    for row in rows:
        if row.checked:
            what = row.what
            yield Ratio(what=what, row=what, value=row.value, at_most=row.at_most, tolerance=row.tolerance)
            for part, value in row.parts.items():
                yield Ratio(
                    what=f"{what}: {part}", row=what, value=value, at_most=True, tolerance=PART_TOLERANCE
                )


def commit(kind: str, rows: Sequence[Row], path: Path = FILE) -> None:
    """Writes the ratios of one kind of bench down, "quick" or "full", beside those of the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {one.what: round(one.value, 4) for one in ratios(rows) if one.value is not None and one.counts}
    path.write_bytes(
        msgspec.json.format(msgspec.json.encode({**_all(path), kind: found}, order="sorted")) + b"\n"
    )


def committed(kind: str, path: Path = FILE) -> dict[str, float]:
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
