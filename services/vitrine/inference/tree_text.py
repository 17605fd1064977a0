"""Checks the text of a LightGBM model before the library reads it: the library trusts it and can crash."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vitrine.inference.tree_nodes import DAMAGED, Tree, natural, numbers, read_tree

_START, _END = "tree\nversion=v4\n", "end of trees\n"
_HEADER = {
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective",
    "monotone_constraints", "feature_names", "feature_infos", "tree_sizes",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A text that the library can read.

    Attributes:
        text: The model up to the end of its trees; what follows is of no use to serving.
        features: Names of its columns.
        trees: Its trees.
        averages: Whether its score is the mean of theirs, and not the sum.
    """

    text: str
    features: tuple[str, ...]
    trees: tuple[Tree, ...]
    averages: bool


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
    trees: list[Tree] = []
    position = 0
    sizes = header["tree_sizes"].split()
    for number, size in enumerate(sizes):
        # The library jumps by these sizes: a wrong one makes it read outside of the text.
        tree = body[position : position + natural(size, "tree_sizes")]
        position += len(tree)
        start = f"Tree={number}\n"
        if not tree.startswith(start):
            raise ValueError(f"'tree_sizes' does not fit tree {number}: {DAMAGED}")
        try:
            trees.append(read_tree(tree.removeprefix(start), len(features)))
        except ValueError as error:
            raise ValueError(f"tree {number}: {error}: {DAMAGED}") from None
    if not body.startswith(_END, position):
        raise ValueError(f"'{_END.strip()}' does not follow the last of {len(sizes)} trees: {DAMAGED}")
    return CheckedText(
        head + blank + body[:position] + _END, features, tuple(trees), "\naverage_output" in head
    )


def _header(head: str) -> Mapping[str, str]:
    lines = head.splitlines()[1:]
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    missing = _HEADER - fields.keys() - {"monotone_constraints", "objective"}
    unknown = fields.keys() - _HEADER | {line for line in lines if "=" not in line} - {"average_output"}
    if missing or unknown or len(fields) != sum("=" in line for line in lines):
        raise ValueError(f"the header lacks {sorted(missing)} or has {sorted(unknown)}: {DAMAGED}")
    for name in ("num_class", "num_tree_per_iteration"):
        if fields[name] != "1":
            raise ValueError(f"'{name}' is {fields[name]}; only models with one score a row are served")
    names = fields["feature_names"].split(" ")
    columns = natural(fields["max_feature_idx"], "max_feature_idx") + 1
    natural(fields["label_index"], "label_index")
    if len(set(names)) != columns or "" in names or len(fields["feature_infos"].split(" ")) != columns:
        raise ValueError(f"'feature_names' or 'feature_infos' does not have {columns} entries: {DAMAGED}")
    if "monotone_constraints" in fields:
        numbers(fields, "monotone_constraints", columns, np.int8)
    return fields
