"""Runs the modules of rows one after the other, and keeps their rows and how long each took."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from tests.load import modules
from tests.load.row import Row


class Measuring:
    """The figures of one shop.

    Args:
        folder: Where they are kept.
        arguments: For each module.
        say: Told how far it is.

    Attributes:
        minutes: How long each module took when it last ran.
    """

    def __init__(self, folder: Path, arguments: list[str], say: Callable[[str], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._arguments, self._say = folder, arguments, say
        timed = folder / "minutes.json"
        self.minutes: dict[str, float] = msgspec.json.decode(timed.read_bytes()) if timed.exists() else {}

    def run(self, names: Sequence[str]) -> None:
        """Measures some modules anew."""
        for name in names:
            self._say(f"{name} …")
            started = time.monotonic()
            for row in modules.run(f"{modules.PACKAGE}{name}", self._arguments, self._file(name)):
                self._say(f"  {row.what}: {'–' if row.value is None else f'{row.value:.3f}'} {row.note}")
            self.minutes[name] = (time.monotonic() - started) / 60
            (self._folder / "minutes.json").write_bytes(msgspec.json.encode(self.minutes))

    def rows(self, name: str) -> list[Row]:
        """Those of a module that were measured last."""
        return modules.kept(self._file(name))

    def every(self) -> list[Row]:
        """Those of all modules."""
        return [row for name in modules.names() for row in self.rows(name)]

    def failed(self, names: Sequence[str]) -> list[str]:
        """The modules that did not measure all that they should."""
        return [name for name in names if any(row.failed for row in self.rows(name))]

    def table(self, names: Sequence[str]) -> str:
        """Seconds by module."""
        known = {name: 60 * self.minutes[name] for name in names if name in self.minutes}
        failed = self.failed(list(known))
        lines = [f"{name:<16}{took:>7.0f} s{'  failed' * (name in failed)}" for name, took in known.items()]
        return "\n".join([*lines, f"{'together':<16}{sum(known.values()):>7.0f} s"])

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
