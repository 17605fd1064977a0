"""Columns derived from a batch, across the border: the child asks, the server computes while it waits."""

import logging
import threading
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from vitrine.errors import InferenceError, InferenceTimeout, PluginFailed
from vitrine.hosting.process import frames
from vitrine.hosting.process.arena import Broken
from vitrine.hosting.process.frames import Frame
from vitrine.hosting.process.told import Ask
from vitrine.interest import Interests
from vitrine.plugin import FeatureColumns

log = logging.getLogger(__name__)

Column = npt.NDArray[np.float32]
Asking = Callable[[Ask], Frame]
_ERRORS: dict[str, type[Exception]] = {
    "KeyError": KeyError,
    "InferenceError": InferenceError,
    "InferenceTimeout": InferenceTimeout,
}


class RemoteColumns:
    """Asks the server for columns, once for each in a call; see `vitrine.plugin.FeatureColumns`."""

    def __init__(self, ask: Asking, n: int) -> None:
        self._ask = ask
        self._n = n
        self._columns: dict[str, Column] = {}
        self._matrices: dict[tuple[str, ...], Column] = {}
        self._interests: Interests | None = None
        self._knows_interests = False
        # The plugin may have threads of its own, and there is one channel.
        self._lock = threading.Lock()

    def column(self, name: str, /) -> Column:
        """``float32[n]``; raises `KeyError` for an unknown name."""
        with self._lock:
            known = self._columns.get(name)
            if known is None:
                known = self._columns[name] = self._arrays("column", name)[0]
            return known

    def matrix(self, names: Sequence[str], /) -> Column:
        """``float32[n, f]``, in one piece by rows."""
        wanted = tuple(names)
        with self._lock:
            known = self._matrices.get(wanted)
            if known is None:
                known = self._matrices[wanted] = self._arrays("matrix", *wanted)[0]
            return known

    def interests(self) -> Interests | None:
        """What the q shoppers are interested in; ``None`` when the bundle has no such model."""
        with self._lock:
            if not self._knows_interests:
                arrays = self._arrays("interests")
                self._interests = Interests(*arrays) if arrays else None
                self._knows_interests = True
            return self._interests

    def _arrays(self, method: str, *names: str) -> tuple[Column, ...]:
        answer = self._ask(Ask(method, names))
        if answer.kind == "arrays":
            return answer.arrays
        raise _ERRORS.get(answer.kind, PluginFailed)(*answer.names)


def answer(features: FeatureColumns, ask: Ask) -> bytes:
    """The server's answer to a question, as a frame.

    Raises:
        Broken: It asks for what there is not.
    """
    arrays: Sequence[Column]
    try:
        if ask.method == "column" and len(ask.names) == 1:
            arrays = [features.column(ask.names[0])]
        elif ask.method == "matrix":
            arrays = [features.matrix(ask.names)]
        elif ask.method == "interests":
            arrays = features.interests() or ()
        else:
            raise Broken(f"asks for '{ask.method}' of {len(ask.names)}")
        return frames.encode("arrays", arrays)
    except Broken:
        raise
    except (KeyError, InferenceError, InferenceTimeout) as error:
        return refusal(error)
    except Exception:
        log.exception("columns that a plugin asked for cannot be computed")
        return refusal(PluginFailed("the server cannot compute these columns"))


def refusal(error: Exception) -> bytes:
    """An answer that raises this error in the child."""
    return frames.encode(type(error).__name__, names=[str(argument) for argument in error.args])
