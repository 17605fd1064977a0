"""A LightGBM model as an ONNX operator, which runs the same trees in two thirds of the time."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.inference.onnx_bytes import one_node
from vitrine.inference.tree_paths import fields_of

# Bits of `decision_type` (LightGBM, `include/LightGBM/tree.h`): categorical, left when missing, and what is missing.
_CATEGORICAL, _DEFAULT_LEFT, _MISSING = 1, 2, 12
_NOTHING_MISSING, _NAN_MISSING = 0, 8
# Numbers as near to zero as this are zero to the library (`kZeroThreshold`).
_ZERO = float(np.float32(1e-35))

INPUT, OUTPUT = "features", "score"


def tree_graph(text: str, features: int) -> bytes | None:
    """The model; ``None`` where it is of a kind that is left to the library.

    That is one with categories, with zeros that stand for missing values, with a threshold all but zero, and one that
    answers a mean. The operator takes ``float64[n, features]``, compares and adds up as the library does, in the order
    of the trees, and answers ``float32[n, 1]``: the same scores to the last bit.

    Args:
        text: As `vitrine.inference.tree_text.check_text` answers it.
        features: How many columns it has.
    """
    head, *bodies = text.split("\nTree=")
    trees = [_tree(fields_of(body)) for body in bodies]
    found = [tree for tree in trees if tree is not None]
    if not trees or len(found) < len(trees) or "\naverage_output" in head:
        return None
    sizes = [len(tree["modes"]) for tree in found]
    numbers = np.repeat(np.arange(len(found)), sizes)
    leaf = _joined(found, "modes") == 0
    nodes = _joined(found, "nodes")
    return one_node(
        "TreeEnsembleRegressor",
        "ai.onnx.ml",
        {
            "n_targets": 1,
            "aggregate_function": "SUM",
            "post_transform": "NONE",
            "nodes_treeids": numbers,
            "nodes_nodeids": nodes,
            "nodes_featureids": _joined(found, "columns"),
            "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
            "nodes_values_as_tensor": _joined(found, "thresholds"),
            "nodes_truenodeids": _joined(found, "left"),
            "nodes_falsenodeids": _joined(found, "right"),
            "nodes_missing_value_tracks_true": _joined(found, "missing_left"),
            "target_treeids": numbers[leaf],
            "target_nodeids": nodes[leaf],
            "target_ids": np.zeros(np.count_nonzero(leaf), np.int64),
            "target_weights_as_tensor": _joined(found, "values")[leaf],
        },
        (INPUT, np.float64, features),
        (OUTPUT, np.float32, 1),
    )


_Columns = dict[str, npt.NDArray[np.int64] | npt.NDArray[np.float64]]


def _joined(trees: Sequence[_Columns], name: str) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    return np.concatenate([tree[name] for tree in trees])


def _tree(fields: dict[str, list[str]]) -> _Columns | None:
    """Columns of the nodes of a tree: its splits, then its leaves."""
    values = np.array(fields["leaf_value"], np.float64)
    leaves, splits = len(values), len(values) - 1
    none, nowhere = np.empty(0, np.int64), np.zeros(leaves, np.int64)
    columns = left = right = missing_left = none
    thresholds = np.empty(0)
    if splits:
        kinds = np.array(fields["decision_type"], np.int64)
        thresholds = np.array(fields["threshold"], np.float64)
        missing = kinds & _MISSING
        if (
            (kinds & _CATEGORICAL).any()
            or not ((missing == _NOTHING_MISSING) | (missing == _NAN_MISSING)).all()
            or (np.abs(thresholds) < _ZERO).any()
        ):
            return None
        # So that the one number at this threshold goes right, as zero does.
        thresholds[thresholds == -_ZERO] = np.nextafter(-_ZERO, -1)
        columns = np.array(fields["split_feature"], np.int64)
        # In the text, a child below 0 is the leaf −1 − child.
        children = np.array([fields["left_child"], fields["right_child"]], np.int64)
        left, right = np.where(children < 0, splits - 1 - children, children)
        # Where nothing was missing in training, a missing value counts as zero.
        as_zero = (missing == _NOTHING_MISSING) & (thresholds >= 0)
        tracks = as_zero | ((missing == _NAN_MISSING) & ((kinds & _DEFAULT_LEFT) > 0))
        missing_left = tracks.astype(np.int64)
    return {
        "nodes": np.arange(splits + leaves),
        "modes": np.repeat([1, 0], [splits, leaves]),
        "columns": np.concatenate([columns, nowhere]),
        "thresholds": np.concatenate([thresholds, np.zeros(leaves)]),
        "left": np.concatenate([left, nowhere]),
        "right": np.concatenate([right, nowhere]),
        "missing_left": np.concatenate([missing_left, nowhere]),
        "values": np.concatenate([np.zeros(splits), values]),
    }
