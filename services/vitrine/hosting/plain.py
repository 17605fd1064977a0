"""What plugins say and answer, made plain: nothing of theirs is left in it that could still run, change or grow."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from vitrine.plugin import Attribution

# What a plugin says of itself stands in answers, beside the items.
_LONGEST = 300
# Types of arrays that are taken: others may compute anything when they are read, or mean something else by their cells.
ARRAYS = (np.ndarray, np.memmap)
# A longer one is no answer to any request; the checks refuse it by its shape.
_MOST_BYTES = 256 << 20


def plain(answer: Any) -> Any:
    """The answer of a plugin as copies that only the host holds; what is no answer, as it is."""
    if type(answer) in ARRAYS:
        # A plugin may fill the same array again for another request, in another thread.
        return np.array(answer) if answer.nbytes <= _MOST_BYTES else answer
    if isinstance(answer, Mapping):
        return {name: plain(answer[name]) for name in answer}
    if isinstance(answer, Attribution) and all(isinstance(name, str) for name in answer.columns):
        names = tuple(words(name) for name in answer.columns)
        return Attribution(names, plain(answer.values), plain(answer.shares), float(answer.base))
    return answer


def words(said: object) -> str:
    """What a plugin or its exception says, so that an answer can carry it: at most 300 characters that UTF-8 has."""
    try:
        text = str.encode(str(said), "utf-8", "replace").decode()
    except Exception:  # noqa: BLE001 - code of the plugin
        return type(said).__name__
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
