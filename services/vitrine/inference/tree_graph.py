"""A LightGBM model as an ONNX operator, which runs the same trees in two thirds of the time."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.inference.onnx_bytes import one_node
from vitrine.inference.tree_nodes import Tree
from vitrine.inference.tree_text import CheckedText

# Bits of `decision_type` (LightGBM, `include/LightGBM/tree.h`): categorical, left when missing, and what is missing.
_CATEGORICAL, _DEFAULT_LEFT, _MISSING = 1, 2, 12
_NOTHING_MISSING, _NAN_MISSING = 0, 8
# Numbers as near to zero as this are zero to the library (`kZeroThreshold`).
_ZERO = float(np.float32(1e-35))

INPUT, OUTPUT = "features", "score"


def tree_graph(model: CheckedText) -> bytes | None:
    """The model; ``None`` where it is of a kind that is left to the library.

    That is one with categories, with zeros that stand for missing values, with a threshold all but zero, and one that
    answers a mean. The operator takes ``float64[n, features]``, compares and adds up as the library does, in the order
    of the trees, and answers ``float32[n, 1]``: the same scores to the last bit.
    """
    found = [columns for tree in model.trees if (columns := _columns(tree)) is not None]
    if not found or len(found) < len(model.trees) or model.averages:
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
        (INPUT, np.float64, len(model.features)),
        (OUTPUT, np.float32, 1),
    )


_Columns = dict[str, npt.NDArray[np.int64] | npt.NDArray[np.float64]]


def _joined(trees: Sequence[_Columns], name: str) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    return np.concatenate([tree[name] for tree in trees])


def _columns(tree: Tree) -> _Columns | None:
    """Columns of the nodes of a tree: its splits, then its leaves."""
    leaves, splits = len(tree.values), len(tree.columns)
    missing = tree.kinds & _MISSING
    if (
        (tree.kinds & _CATEGORICAL).any()
        or not ((missing == _NOTHING_MISSING) | (missing == _NAN_MISSING)).all()
        or (np.abs(tree.thresholds) < _ZERO).any()
    ):
        return None
    # So that the one number at this threshold goes right, as zero does.
    thresholds = np.where(tree.thresholds == -_ZERO, np.nextafter(-_ZERO, -1), tree.thresholds)
    # Where nothing was missing in training, a missing value counts as zero.
    as_zero = (missing == _NOTHING_MISSING) & (thresholds >= 0)
    tracks = as_zero | ((missing == _NAN_MISSING) & ((tree.kinds & _DEFAULT_LEFT) > 0))
    nowhere = np.zeros(leaves, np.int64)
    return {
        "nodes": np.arange(splits + leaves),
        "modes": np.repeat([1, 0], [splits, leaves]),
        "columns": np.concatenate([tree.columns, nowhere]),
        "thresholds": np.concatenate([thresholds, np.zeros(leaves)]),
        "left": np.concatenate([tree.children[0], nowhere]),
        "right": np.concatenate([tree.children[1], nowhere]),
        "missing_left": np.concatenate([tracks.astype(np.int64), nowhere]),
        "values": np.concatenate([np.zeros(splits), tree.values]),
    }
