"""What each leaf of a LightGBM model owes to each feature on the path to it: shares at the price of a look-up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.inference.tree_nodes import Tree

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
    def of(cls, trees: Sequence[Tree], features: int) -> "PathTable":
        """Reads it out of the trees of a model with so many columns."""
        sizes = np.array([len(tree.values) for tree in trees])
        # All trees at once: nodes are numbered through.
        roots = np.cumsum(2 * sizes - 1) - (2 * sizes - 1)
        leaf, splits = np.ones(int((2 * sizes - 1).sum()), np.bool_), np.empty(0, np.int64)
        left, right, columns = (np.zeros(len(leaf), np.int64) for _ in range(3))
        for root, tree in zip(roots.tolist(), trees, strict=True):
            own = slice(root, root + len(tree.columns))
            leaf[own], columns[own] = False, tree.columns
            left[own], right[own] = tree.children + root
        rows, means = np.zeros(len(leaf)), np.zeros(len(leaf))
        rows[leaf] = np.maximum(np.concatenate([tree.counts for tree in trees]), _NO_ROWS)
        means[leaf] = np.concatenate([tree.values for tree in trees])
        levels = [roots[~leaf[roots]]]
        while len(splits := levels[-1]):
            below = np.concatenate([left[splits], right[splits]])
            levels.append(below[~leaf[below]])
        for splits in reversed(levels):
            a, b = left[splits], right[splits]
            rows[splits] = rows[a] + rows[b]
            means[splits] = (rows[a] * means[a] + rows[b] * means[b]) / rows[splits]
        owed = np.zeros((len(leaf), features))
        for splits in levels:
            for child in (left[splits], right[splits]):
                owed[child] = owed[splits]
                owed[child, columns[splits]] += means[child] - means[splits]
        first = (np.cumsum(sizes) - sizes).astype(np.int32)
        return cls(owed[leaf].astype(np.float32), first, sum(means[roots].tolist(), 0.0))

    def grouped(self, groups: npt.NDArray[np.int64], count: int) -> "PathTable":
        """The same with features added up by group; ``int64[f]`` numbers of groups below ``count``."""
        values = np.zeros((len(self.values), count), np.float32)
        # A tenth of the time of `np.add.at`, and the same order.
        for column, group in enumerate(groups.tolist()):
            values[:, group] += self.values[:, column]
        return PathTable(values, self.first, self.base)

    def shares(self, leaves: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """``float32[n, f]``: shares of n rows that end in the leaves ``int32[n, t]``, numbered within each tree."""
        # Tree by tree: sums over the first axis add up whole rows, and `take` copies them as they lie.
        rows = (leaves + self.first).T
        shares: npt.NDArray[np.float32] = self.values.take(rows, axis=0).sum(axis=0, dtype=np.float32)
        return shares
