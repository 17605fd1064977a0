"""What a plugin did wrong, where, and what to do: in words, as its author may never have seen this code."""

import linecache
import logging
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pluggy

import vitrine
import vitrine_export
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.errors import VitrineError

_TEST = "`vitrine.testing.RankerContract` finds it in a test: three lines, see plugins/README.md."
# Where code lies that is not the author's; a path in "<…>" is none at all.
_OTHERS = [Path(str(m.__file__)).parent for m in (vitrine, vitrine_export, np, pluggy)]
_OTHERS.append(Path(logging.__file__).parents[1] / "importlib")
# What the host says of an answer -> what to do.
_FIXES = {
    "NaN": "Look for 0 ÷ 0 and for columns that are NaN where nothing is known; answer a number there, or declare "
    "`partial = True`.",
    "infinite": "Look for divisions by 0 and logarithms of 0.",
    "shape": "Answer one score for each of `batch.items.ids`; `batch.offsets` tells which belong to which query.",
    "array": "Answer a numpy array of float32: `np.asarray(scores, np.float32)`.",
    "float32": "Answer a numpy array of float32: `np.asarray(scores, np.float32)`.",
}
# Text of an error -> what to do.
_HINTS = {
    "read-only": "What a ranker is given is read-only, as others read it too: change a copy (`array.copy()`).",
    "vitrine_features": "There is no such feature column; vitrine/domain/columns.py lists them.",
}


class PluginFault(VitrineError):
    """A plugin cannot be tried: it is not there, cannot be made, or fails on real candidates. Says what to do."""


class Watch(logging.Handler):
    """Takes in what the host logs of plugins, which would print tracebacks.

    Attributes:
        told: Of each error, what the host said, and what it was in words.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        # The host lets go of tracebacks, so they are read at once.
        if record.exc_info and record.exc_info[1] is not None:
            self.told.append((record.getMessage(), in_words(record.exc_info[1])))

    def of(self, sign: str) -> str:
        """The latest error of which the host said something with this in it; empty for none."""
        return next((words for said, words in reversed(self.told) if sign in said), "")


@contextmanager
def watched() -> Iterator[Watch]:
    """Keeps the host's log to itself for a while."""
    log, watch = logging.getLogger("vitrine"), Watch()
    before = log.propagate
    log.addHandler(watch)
    log.propagate = False
    try:
        yield watch
    finally:
        log.removeHandler(watch)
        log.propagate = before


def in_words(error: BaseException) -> str:
    """What was raised, where in the plugin's own code, and what to do about it."""
    text = " ".join(str(error).split())
    said = f"it raised {type(error).__name__}" + (f": {text}" if text else "")
    frames = traceback.extract_tb(error.__traceback__)
    inside = frames[-1].filename if frames else ""
    if isinstance(error, KeyError) and f"{Path('vitrine', 'features')}" in inside:
        text = "vitrine_features"
    if isinstance(error, SyntaxError) and error.filename:
        # No frame of a file that could not be read.
        file = Path(error.filename)
        return f"{said}\n  {file.parent.name}/{file.name}, line {error.lineno}: {(error.text or '').strip()}"
    for frame in reversed(frames):
        if not _ours(frame.filename):
            line = linecache.getline(frame.filename, frame.lineno or 0).strip()
            file = Path(frame.filename)
            said += f"\n  {file.parent.name}/{file.name}, line {frame.lineno}, in {frame.name}: {line}"
            break
    fix = next((hint for sign, hint in _HINTS.items() if sign in text), "")
    return f"{said}\n  {fix}" if fix else said


def of_answers(name: str, degraded: Iterable[Degradation], watch: Watch) -> str:
    """What went wrong with a plugin in some answers; empty when nothing did.

    Args:
        name: The plugin.
        degraded: What was missing in the answers.
        watch: Took in what was raised meanwhile.
    """
    mine = {f"ranker:{name}", f"features:{name}"}
    found = next((part for part in degraded if part.component in mine), None)
    if found is None:
        return ""
    raised = watch.of(f"{found.component} failed") if found.code == DegradationCode.FAILED else ""
    if raised:
        return f"{raised}\n  {_TEST}"
    fix = next((fix for sign, fix in _FIXES.items() if sign in found.message), "")
    return "\n  ".join(filter(None, (found.message, fix, _TEST)))


def _ours(file: str) -> bool:
    """Whether a file is Vitrine's or an installed library's rather than the plugin author's."""
    path = Path(file)
    return not path.is_absolute() or any(path.is_relative_to(folder) for folder in _OTHERS)
