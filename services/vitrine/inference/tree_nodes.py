"""The nodes of one tree in the text of a LightGBM model, checked as far as the library trusts them."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.number[Any])

# Numbers, and "inf": the threshold of a split of present from missing values.
_LINES = re.compile(r"(?:[a-z_]+=[-+.e0-9inf ]*\n)+\n*")
# Arrays with one number a split, and those with one a leaf.
_SPLIT_FLOATS = ("threshold", "split_gain", "internal_value", "internal_weight")
_LEAF_FLOATS = ("leaf_value", "leaf_weight", "leaf_count")
DAMAGED = "the file is damaged; write it again"


class Tree(NamedTuple):
    """A tree with s splits and s + 1 leaves. Its nodes are numbered by splits first, leaves after; the first is the root.

    Attributes:
        columns: ``int64[s]``, the column that each split asks for.
        thresholds: ``float64[s]``.
        kinds: ``int64[s]``, bits of `decision_type`.
        children: ``int64[2, s]``, left and right; they come after their parents.
        values: ``float64[s + 1]``, of the leaves.
        counts: ``float64[s + 1]``, rows of the training data in each leaf.
    """

    columns: npt.NDArray[np.int64]
    thresholds: npt.NDArray[np.float64]
    kinds: npt.NDArray[np.int64]
    children: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]


def read_tree(text: str, columns: int) -> Tree:
    """A tree of a model with so many columns, from below its number on.

    Raises:
        ValueError: It is damaged, or of a kind that is not served; says how.
    """
    if not _LINES.fullmatch(text):
        raise ValueError("a line is not of the form 'name=numbers'")
    pairs = [line.split("=", 1) for line in text.split("\n") if line]
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice")
    leaves = natural(fields.get("num_leaves", ""), "num_leaves")
    if fields.get("is_linear", "0") != "0":
        raise ValueError("'is_linear' is not 0; linear trees are not served")
    numbers(fields, "shrinkage", 1, np.float64)
    values, *others = (
        numbers(fields, name, leaves, np.float64)
        for name in (_LEAF_FLOATS if leaves > 1 else _LEAF_FLOATS[:1])
    )
    if leaves < 2:
        # One leaf: the library reads no more.
        if leaves < 1:
            raise ValueError("'num_leaves' is 0")
        none, nothing = np.empty(0, np.int64), np.empty(0)
        return Tree(none, nothing, none, none.reshape(2, 0), values, np.zeros(1))
    splits = leaves - 1
    thresholds, *_ = (numbers(fields, name, splits, np.float64) for name in _SPLIT_FLOATS)
    if (numbers(fields, "internal_count", splits, np.int64) < 1).any():
        raise ValueError("'internal_count' has numbers below 1")
    feature = numbers(fields, "split_feature", splits, np.int64)
    if feature.min() < 0 or feature.max() >= columns:
        raise ValueError(f"'split_feature' names columns beyond the {columns} of the model")
    kinds = numbers(fields, "decision_type", splits, np.int64)
    if kinds.min() < 0 or kinds.max() >= 12:
        raise ValueError("'decision_type' has numbers outside of 0 to 11")
    children = _children(fields, leaves)
    _check_categories(fields, thresholds[kinds % 2 == 1])
    return Tree(feature, thresholds, kinds, children, values, others[-1])


def _children(fields: Mapping[str, str], leaves: int) -> npt.NDArray[np.int64]:
    """Every leaf (-1, -2, … in the text) and every split but the first has one parent, that comes before it: no cycles."""
    splits = leaves - 1
    children = np.stack([numbers(fields, name, splits, np.int64) for name in ("left_child", "right_child")])
    all_of_them = np.concatenate([np.arange(-leaves, 0), np.arange(1, splits)])
    forward = (children < 0) | (children > np.arange(splits))
    if not (np.array_equal(np.sort(children, axis=None), all_of_them) and forward.all()):
        raise ValueError("'left_child' and 'right_child' do not form a tree")
    return np.where(children < 0, splits - 1 - children, children)


def _check_categories(fields: Mapping[str, str], used: npt.NDArray[np.float64]) -> None:
    """Thresholds of categorical splits are numbers of bit sets; the boundaries cut `cat_threshold` into these."""
    sets = natural(fields.get("num_cat", ""), "num_cat")
    # Few trees have any; the function takes its time for none as well.
    if len(used) and not np.isin(used, np.arange(sets)).all():
        raise ValueError("'threshold' of a categorical split is not one of 'num_cat'")
    if sets:
        boundaries = numbers(fields, "cat_boundaries", sets + 1, np.int64)
        if boundaries[0] != 0 or (np.diff(boundaries) < 1).any():
            raise ValueError("'cat_boundaries' do not increase from 0")
        numbers(fields, "cat_threshold", int(boundaries[-1]), np.uint32)


def numbers(fields: Mapping[str, str], name: str, count: int, kind: type[T]) -> npt.NDArray[T]:
    """The numbers of a line, so many as there should be; a `ValueError` that names the line where they are not."""
    if name not in fields:
        raise ValueError(f"'{name}' is missing")
    read = float if issubclass(kind, np.floating) else int
    try:
        found = np.array(list(map(read, fields[name].split(" "))), kind)
    except (ValueError, OverflowError):
        raise ValueError(f"'{name}' is not a list of numbers") from None
    if len(found) != count or not (read is int or name == "threshold" or np.isfinite(found).all()):
        raise ValueError(f"'{name}' does not have {count} finite numbers")
    return found


def natural(text: str, name: str) -> int:
    """A number of at most nine digits; a `ValueError` that names the line where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f"'{name}' has '{text[:20]}' where a number belongs: {DAMAGED}")
    return int(text)
