"""Checks the text of a LightGBM model before the library reads it: the library trusts it and can crash."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.number[Any])

_START, _END = "tree\nversion=v4\n", "end of trees\n"
_HEADER = {
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
    "monotone_constraints", "feature_names", "feature_infos", "tree_sizes",
}  # fmt: skip
# Numbers, and "inf": the threshold of a split of present from missing values.
_LINES = re.compile(r"(?:[a-z_]+=[-+.e0-9inf ]*\n)+\n*")
# Arrays with one number a split, and those with one a leaf.
_SPLIT_FLOATS = ("threshold", "split_gain", "internal_value", "internal_weight")
_LEAF_FLOATS = ("leaf_value", "leaf_weight", "leaf_count")
_DAMAGED = "the file is damaged; write it again"


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A text that the library can read.

    Attributes:
        text: The model up to the end of its trees; what follows is of no use to serving.
        features: Names of its columns.
        trees: How many trees it has.
    """

    text: str
    features: tuple[str, ...]
    trees: int


def check_text(data: bytes) -> CheckedText:
    """Reads header and trees as the library does (`src/boosting/gbdt_model_text.cpp`, `src/io/tree.cpp`).

    Raises:
        ValueError: It is no LightGBM model, is damaged, or is of a kind that is not served; says which and where.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    head, blank, body = text.partition("\n\n")
    if not (text.startswith(_START) and blank):
        raise ValueError("this is not a LightGBM model in text format, version v4")
    header = _header(head)
    features = tuple(header["feature_names"].split(" "))
    position = 0
    sizes = header["tree_sizes"].split()
    for number, size in enumerate(sizes):
        # The library jumps by these sizes: a wrong one makes it read outside of the text.
        tree = body[position : position + _natural(size, "tree_sizes")]
        position += len(tree)
        start = f"Tree={number}\n"
        if not tree.startswith(start):
            raise ValueError(f"'tree_sizes' does not fit tree {number}: {_DAMAGED}")
        try:
            _check_tree(tree.removeprefix(start), len(features))
        except ValueError as error:
            raise ValueError(f"tree {number}: {error}: {_DAMAGED}") from None
    if not body.startswith(_END, position):
        raise ValueError(f"'{_END.strip()}' does not follow the last of {len(sizes)} trees: {_DAMAGED}")
    return CheckedText(head + blank + body[:position] + _END, features, len(sizes))


def _header(head: str) -> Mapping[str, str]:
    lines = head.splitlines()[1:]
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    missing = _HEADER - fields.keys() - {"monotone_constraints", "objective"}
    unknown = fields.keys() - _HEADER | {line for line in lines if "=" not in line} - {"average_output"}
    if missing or unknown or len(fields) != sum("=" in line for line in lines):
        raise ValueError(f"the header lacks {sorted(missing)} or has {sorted(unknown)}: {_DAMAGED}")
    for name in ("num_class", "num_tree_per_iteration"):
        if fields[name] != "1":
            raise ValueError(f"'{name}' is {fields[name]}; only models with one score a row are served")
    names = fields["feature_names"].split(" ")
    columns = _natural(fields["max_feature_idx"], "max_feature_idx") + 1
    _natural(fields["label_index"], "label_index")
    if len(set(names)) != columns or "" in names or len(fields["feature_infos"].split(" ")) != columns:
        raise ValueError(f"'feature_names' or 'feature_infos' does not have {columns} entries: {_DAMAGED}")
    if "monotone_constraints" in fields:
        _numbers(fields, "monotone_constraints", columns, np.int8)
    return fields


def _check_tree(text: str, columns: int) -> None:
    if not _LINES.fullmatch(text):
        raise ValueError("a line is not of the form 'name=numbers'")
    pairs = [line.split("=", 1) for line in text.split("\n") if line]
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice")
    leaves = _natural(fields.get("num_leaves", ""), "num_leaves")
    if fields.get("is_linear", "0") != "0":
        raise ValueError("'is_linear' is not 0; linear trees are not served")
    _numbers(fields, "shrinkage", 1, np.float64)
    for name in _LEAF_FLOATS if leaves > 1 else ("leaf_value",):
        _numbers(fields, name, leaves, np.float64)
    if leaves < 2:
        # One leaf: the library reads no more.
        if leaves < 1:
            raise ValueError("'num_leaves' is 0")
        return
    splits = leaves - 1
    thresholds, *_ = (_numbers(fields, name, splits, np.float64) for name in _SPLIT_FLOATS)
    if (_numbers(fields, "internal_count", splits, np.int64) < 1).any():
        raise ValueError("'internal_count' has numbers below 1")
    feature = _numbers(fields, "split_feature", splits, np.int64)
    if feature.min() < 0 or feature.max() >= columns:
        raise ValueError(f"'split_feature' names columns beyond the {columns} of the model")
    kinds = _numbers(fields, "decision_type", splits, np.int64)
    if kinds.min() < 0 or kinds.max() >= 12:
        raise ValueError("'decision_type' has numbers outside of 0 to 11")
    _check_children(fields, leaves)
    _check_categories(fields, thresholds[kinds % 2 == 1])


def _check_children(fields: Mapping[str, str], leaves: int) -> None:
    """Every leaf (-1, -2, …) and every split but the first has one parent, that comes before it: no cycles."""
    splits = leaves - 1
    children = np.stack([_numbers(fields, name, splits, np.int64) for name in ("left_child", "right_child")])
    all_of_them = np.delete(np.arange(-leaves, splits), leaves)
    forward = (children < 0) | (children > np.arange(splits))
    if not (np.array_equal(np.sort(children, axis=None), all_of_them) and forward.all()):
        raise ValueError("'left_child' and 'right_child' do not form a tree")


def _check_categories(fields: Mapping[str, str], used: npt.NDArray[np.float64]) -> None:
    """Thresholds of categorical splits are numbers of bit sets; the boundaries cut `cat_threshold` into these."""
    sets = _natural(fields.get("num_cat", ""), "num_cat")
    # Few trees have any; the function takes its time for none as well.
    if len(used) and not np.isin(used, np.arange(sets)).all():
        raise ValueError("'threshold' of a categorical split is not one of 'num_cat'")
    if sets:
        boundaries = _numbers(fields, "cat_boundaries", sets + 1, np.int64)
        if boundaries[0] != 0 or (np.diff(boundaries) < 1).any():
            raise ValueError("'cat_boundaries' do not increase from 0")
        _numbers(fields, "cat_threshold", int(boundaries[-1]), np.uint32)


def _numbers(fields: Mapping[str, str], name: str, count: int, kind: type[T]) -> npt.NDArray[T]:
    if name not in fields:
        raise ValueError(f"'{name}' is missing")
    read = float if issubclass(kind, np.floating) else int
    try:
        numbers = np.array([read(n) for n in fields[name].split(" ")], kind)
    except (ValueError, OverflowError):
        raise ValueError(f"'{name}' is not a list of numbers") from None
    if len(numbers) != count or not (name == "threshold" or np.isfinite(numbers.astype(np.float64)).all()):
        raise ValueError(f"'{name}' does not have {count} finite numbers")
    return numbers


def _natural(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f"'{name}' has '{text[:20]}' where a number belongs: {_DAMAGED}")
    return int(text)
