"""Runs the modules of rows one after the other, and keeps their rows, and when and at which commit each was measured."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.load import modules
from tests.load.machine import commit
from tests.load.row import Row


class Last(msgspec.Struct, frozen=True):
    """The last run of a module: how long it took, its day, and the commit of the working tree then."""

    minutes: float
    date: str
    commit: str


class Measuring:
    """The figures of one shop.

    Args:
        folder: Where they are kept.
        arguments: For each module.
        say: Told how far it is.

    Attributes:
        last: The last run of each module.
    """

    def __init__(self, folder: Path, arguments: list[str], say: Callable[[str], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._arguments, self._say = folder, arguments, say
        self.last: dict[str, Last] = {}
        if (kept := folder / "last.json").exists():
            self.last = msgspec.json.decode(kept.read_bytes(), type=dict[str, Last])

    def run(self, names: Sequence[str]) -> None:
        """Measures some modules anew."""
        for name in names:
            self._say(f"{name} …")
            started = time.monotonic()
            for row in modules.run(f"{modules.PACKAGE}{name}", self._arguments, self._file(name)):
                self._say(f"  {row.what}: {'–' if row.value is None else f'{row.value:.3f}'} {row.note}")
            minutes = (time.monotonic() - started) / 60
            self.last[name] = Last(minutes, f"{datetime.now(UTC):%Y-%m-%d}", commit())
            (self._folder / "last.json").write_bytes(msgspec.json.encode(self.last))

    def rows(self, name: str) -> list[Row]:
        """Those of a module that were measured last."""
        return modules.kept(self._file(name))

    def every(self) -> list[Row]:
        """Those of all modules."""
        return [row for name in modules.names() for row in self.rows(name)]

    def failed(self, names: Sequence[str]) -> list[str]:
        """The modules that did not measure all that they should."""
        return [name for name in names if any(row.failed for row in self.rows(name))]

    def minutes(self) -> float:
        """How long all modules took together when they last ran."""
        return sum(self.last[name].minutes for name in modules.names() if name in self.last)

    def when(self) -> str:
        """Days and commits of the figures, in a sentence; not of one commit, when some were measured again."""
        by: dict[str, list[str]] = {}
        for name in modules.names():
            if (last := self.last.get(name)) and name not in modules.ELSEWHERE:
                by.setdefault(f"on {last.date} at commit {last.commit}", []).append(name)
        told = "; ".join(f"{', '.join(names)} {when}" if len(by) > 1 else when for when, names in by.items())
        return f"Measured {told}." if told else ""

    def table(self, names: Sequence[str]) -> str:
        """Seconds by module."""
        known = {name: 60 * self.last[name].minutes for name in names if name in self.last}
        failed = self.failed(list(known))
        lines = [f"{name:<16}{took:>7.0f} s{'  failed' * (name in failed)}" for name, took in known.items()]
        return "\n".join([*lines, f"{'together':<16}{sum(known.values()):>7.0f} s"])

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
