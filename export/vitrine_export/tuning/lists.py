"""The lists that rerankers and weights are compared on: made once, by the serving code, and kept."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from vitrine_export.resumed import write_whole
from vitrine_export.train.ranking_data import RankingData

_ABOUT = "lists.json"
_ARRAYS = ("features", "labels", "offsets", "window", "missed")


class _About(msgspec.Struct):
    """What arrays do not say."""

    names: tuple[str, ...]
    subjects: list[str]
    # Without a default: a folder from before there were any is made anew.
    weights: dict[str, float]


def kept_lists(folder: Path, make: Callable[[], RankingData | None]) -> RankingData | None:
    """The lists of a folder, or else new ones, which then are kept there.

    Nothing but what orders are compared by is kept: no vectors, and no words of columns.
    """
    if (read := _read(folder)) is not None:
        return read
    made = make()
    if made is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", getattr(made, name), allow_pickle=False)
    about = _About(made.names, made.subjects, dict(made.weights))
    # Last, so that it is there only where all of them are whole.
    write_whole(folder / _ABOUT, msgspec.json.encode(about))
    return made


def _read(folder: Path) -> RankingData | None:
    try:
        about = msgspec.json.decode((folder / _ABOUT).read_bytes(), type=_About)
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in _ARRAYS}
    except (OSError, ValueError, EOFError, msgspec.MsgspecError):
        return None
    data = RankingData(names=about.names, subjects=about.subjects, weights=about.weights, **arrays)
    whole = len(data.offsets) == len(data) + 1 and data.offsets[-1] == len(data.labels) == len(data.features)
    return data if whole else None
