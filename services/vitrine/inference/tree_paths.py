"""What each leaf of a LightGBM model owes to each feature on the path to it: shares at the price of a look-up."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

# A split without rows would divide by zero; the library writes none, a text may.
_NO_ROWS = 1e-9


@dataclass(frozen=True, slots=True)
class PathTable:
    """Path attributions of all leaves of t trees.

    Saabas, "Interpreting random forests" (2014, the package treeinterpreter): going down a tree, each split moves the
    expected score, and the feature that it asks for is given the difference. TreeSHAP (Lundberg et al. 2020, Nature
    Machine Intelligence 2:56, algorithm 1) gives the mean of that over all orders in which the features could be asked
    for, those beside the path included. To take all orders of the features on the path alone brings it no nearer.

    Attributes:
        values: ``float32[l, f]``, shares of the f features in each of the l leaves.
        first: ``int32[t]``, the row of leaf 0 of each tree.
        base: The mean score of the rows that the model was fitted on: score = base + shares.
    """

    values: npt.NDArray[np.float32]
    first: npt.NDArray[np.int32]
    base: float

    @classmethod
    def of(cls, text: str, features: int) -> "PathTable":
        """Reads it out of a model's text.

        Args:
            text: As `vitrine.inference.tree_text.check_text` answers it.
            features: How many columns the model has.
        """
        tables, base = [np.zeros((0, features), np.float32)], 0.0
        for tree in text.split("\nTree=")[1:]:
            expected, table = _table(fields_of(tree), features)
            tables.append(table.astype(np.float32))
            base += expected
        sizes = [len(table) for table in tables[1:]]
        first = np.cumsum([0, *sizes])[: len(sizes)].astype(np.int32)
        return cls(np.concatenate(tables), first, base)

    def grouped(self, groups: npt.NDArray[np.int64], count: int) -> "PathTable":
        """The same with features added up by group; ``int64[f]`` numbers of groups below ``count``."""
        values = np.zeros((len(self.values), count), np.float32)
        np.add.at(values.T, groups, self.values.T)
        return PathTable(values, self.first, self.base)

    def shares(self, leaves: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """``float32[n, f]``: shares of n rows that end in the leaves ``int32[n, t]``, numbered within each tree."""
        # Tree by tree: sums over the first axis add up whole rows, and `take` copies them as they lie.
        rows = (leaves + self.first).T
        shares: npt.NDArray[np.float32] = self.values.take(rows, axis=0).sum(axis=0, dtype=np.float32)
        return shares


def fields_of(tree: str) -> dict[str, list[str]]:
    """The lines of a tree: name -> its numbers, still as text."""
    lines = (line.partition("=") for line in tree.split("\n"))
    return {name: numbers.split(" ") for name, _, numbers in lines if numbers}


def _table(tree: dict[str, list[str]], features: int) -> tuple[float, Float64]:
    """Mean score of a tree, and shares ``float64[leaves, features]``."""
    leaf_values = np.array(tree["leaf_value"], np.float64)
    leaves = len(leaf_values)
    if leaves < 2:
        return float(leaf_values[0]), np.zeros((leaves, features))
    split_features = np.array(tree["split_feature"], np.int64)
    # Nodes are numbered by splits first, leaves after; in the text, a child below 0 is the leaf −1 − child.
    splits = leaves - 1
    children = np.array([tree["left_child"], tree["right_child"]], np.int64).T
    children = np.where(children < 0, splits - 1 - children, children)
    rows = np.concatenate([np.zeros(splits), np.maximum(np.array(tree["leaf_count"], np.float64), _NO_ROWS)])
    means = np.concatenate([np.zeros(splits), leaf_values])
    # Children come after their parents (`check_text` makes sure): backwards, both are known when a split is met.
    for split in range(splits - 1, -1, -1):
        pair = children[split]
        rows[split] = rows[pair].sum()
        means[split] = rows[pair] @ means[pair] / rows[split]
    owed = np.zeros((splits + leaves, features))
    for split in range(splits):
        for child in children[split].tolist():
            owed[child] = owed[split]
            owed[child, split_features[split]] += means[child] - means[split]
    return float(means[0]), owed[splits:]
