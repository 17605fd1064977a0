"""What is wrong with what a plugin answers. Each check answers a sentence, empty when nothing is wrong."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vitrine.hosting.plain import ARRAYS
from vitrine.plugin import Attribution

_FLOAT32 = np.dtype(np.float32)


def scores(answer: Any, n: int, *, partial: bool = False) -> str:
    """For ``float32[n]``, finite; NaN only where the ranker is partial."""
    # NaN and infinity survive a product, which takes a third of the time of looking for them.
    if type(answer) is np.ndarray and answer.dtype is _FLOAT32 and answer.shape == (n,):
        if math.isfinite(answer.dot(answer)):
            return ""
    elif problem := _column(answer, n, "scores"):
        return problem
    if np.isfinite(answer).all():
        return ""
    if np.isinf(answer).any():
        return "an infinite score"
    if not partial and np.isnan(answer).any():
        return "NaN as a score; declare `partial = True` if that means 'nothing to say'"
    return ""


def rows(answer: Any, m: int) -> str:
    """For ``int64[m]``: rows of the history."""
    if type(answer) not in ARRAYS or answer.dtype != np.int64:
        return f"{_kind(answer)} where an int64 array of rows was asked for"
    return "" if answer.shape == (m,) else f"rows of shape {answer.shape} for {m} candidates"


def shares(answer: Any, m: int, groups: int) -> str:
    """For ``float32[m, groups]``, finite."""
    if not _is_table(answer):
        return f"{_kind(answer)} where an array of shares was asked for"
    if answer.shape != (m, groups):
        return f"shares of shape {answer.shape} for {m} candidates and {groups} groups"
    return "" if np.isfinite(answer).all() else "shares that are not finite"


def attribution(answer: object, m: int) -> str:
    """For an `Attribution` of m candidates, finite but for its values."""
    if not isinstance(answer, Attribution):
        return f"{_kind(answer)} where an Attribution was asked for"
    if not all(isinstance(name, str) for name in answer.columns):
        return "an Attribution whose columns are not all names"
    wanted = (m, len(answer.columns))
    for name, table in (("values", answer.values), ("shares", answer.shares)):
        if not _is_table(table) or table.shape != wanted:
            return f"an Attribution whose {name} are not float32 of shape {wanted}"
    if not np.isfinite(answer.shares).all() or not np.isfinite(answer.base):
        return "an Attribution that is not finite"
    return ""


def block(answer: object, n: int, names: Sequence[str]) -> str:
    """For the columns of a block: ``float32[n]`` each, NaN for nothing to say."""
    if not isinstance(answer, Mapping):
        return f"{_kind(answer)} where columns by name were asked for"
    if missing := [name for name in names if name not in answer]:
        return f"no column '{missing[0]}', which it declares"
    for name in names:
        column = answer[name]
        if problem := _column(column, n, f"values in column '{name}'"):
            return problem
        if np.isinf(column).any():
            return f"an infinite value in column '{name}'"
    return ""


def _is_table(answer: Any) -> bool:
    """Whether it is an array of real numbers with a fraction."""
    return type(answer) in ARRAYS and answer.dtype.kind == "f"


def _column(answer: Any, n: int, what: str) -> str:
    if type(answer) not in ARRAYS or answer.dtype != np.float32:
        return f"{_kind(answer)} where a float32 array was asked for"
    return "" if answer.shape == (n,) else f"{what} of shape {answer.shape} for {n} candidates"


def _kind(answer: Any) -> str:
    if type(answer) in ARRAYS:
        return f"a {answer.dtype} array"
    return f"a {type(answer).__name__}"
