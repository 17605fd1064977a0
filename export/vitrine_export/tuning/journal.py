"""The folder that a search keeps what it found in, safe against whatever ends the process."""

import contextlib
import json
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vitrine_export.resumed import Work, claimed, key_of
from vitrine_export.tuning.quality import Floats
from vitrine_export.tuning.space import Values

_JOURNAL = "trials.log"
_SEARCH = Work(
    "search", "search to go on with", "data, settings, seed or version of Vitrine", "`vitrine tune`"
)


class Journal:
    """What a search has found so far.

    Attributes:
        folder: Where it is kept.
        path: Optuna's journal of the trials.
        lost: Bytes of a damaged end of the journal that had to go.
    """

    def __init__(self, folder: Path, lost: int = 0) -> None:
        self.folder = folder
        self.path = folder / _JOURNAL
        self.lost = lost

    def measured(self, stage: str, values: Values) -> Floats | None:
        """What settings reached, shopper by shopper; nothing where they were not tried."""
        try:
            quality: Floats = np.load(self._file(stage, values), allow_pickle=False).astype(np.float64)
        except (OSError, ValueError, EOFError):
            return None  # not there, or not whole: measured again
        return quality

    def keep(self, stage: str, values: Values, quality: Floats) -> None:
        """Writes down what settings reached: whole or not at all."""
        path = self._file(stage, values)
        path.parent.mkdir(exist_ok=True)
        beside = path.with_name(f".{path.name}")
        with beside.open("wb") as file:
            np.save(file, quality, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def _file(self, stage: str, values: Values) -> Path:
        return self.folder / "measured" / f"{key_of([stage, values])}.npy"


@contextlib.contextmanager
def opened(resume: Path | None, about: dict[str, object]) -> Iterator[Journal]:
    """The journal of a search; with ``resume`` it stays in that folder, to go on from.

    Args:
        resume: The folder of the search to go on with or to begin; ``None`` for one that nobody returns to.
        about: What the figures depend on.

    Raises:
        InvalidInput: The folder belongs to another search or to something else, or another process works in it.
    """
    if resume is None:
        with tempfile.TemporaryDirectory(prefix="vitrine-tune-") as folder:
            yield Journal(Path(folder))
        return
    with claimed(resume, _SEARCH, about):
        yield journal_in(resume)


def journal_in(folder: Path) -> Journal:
    """The journal of a folder that nobody else works in; what a cut left half written is put right."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder)
    # Optuna's own lock, of a process that was killed while it wrote.
    journal.path.with_name(f"{_JOURNAL}.lock").unlink(missing_ok=True)
    journal.lost = repair(journal.path)
    return journal


@contextlib.contextmanager
def ctrl_c_held_back() -> Iterator[None]:
    """Ctrl-C comes when this is over: Optuna lets go of its lock twice where it is interrupted, which fails the search."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        before(signal.SIGINT, None)


def repair(path: Path) -> int:
    """Cuts a journal off after its last whole line; answers how many bytes went.

    A line that was half written would be read as one with the next, and the journal refused for ever.
    """
    if not path.exists():
        return 0
    data = path.read_bytes()
    good = 0
    while (end := data.find(b"\n", good)) >= 0:
        try:
            whole = isinstance(json.loads(data[good:end]), dict)
        except ValueError:
            whole = False
        if not whole:
            break
        good = end + 1
    if good < len(data):
        with path.open("r+b") as file:
            file.truncate(good)
            os.fsync(file.fileno())
    return len(data) - good
