"""A LightGBM model: scores and the shares of the features in them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.errors import ConfigError, InferenceError
from vitrine.inference.native_trees import NativeTrees, Predicts
from vitrine.inference.provider import open_on_cpu
from vitrine.inference.tree_graph import INPUT, OUTPUT, tree_graph
from vitrine.inference.tree_paths import PathTable
from vitrine.inference.tree_text import check_text

Float32 = npt.NDArray[np.float32]

# The library keeps the number for the whole process: always the same one. Requests run side by side already.
NUM_THREADS = 1


class TreeModel:
    """Boosted trees (Ke et al., "LightGBM", NeurIPS 2017) with one score a row; safe to call from several threads.

    Attributes:
        features: Names of the columns of the inputs, in order.
        trees: How many trees it has.
    """

    def __init__(self, text: bytes) -> None:
        """Loads a model from its text format.

        Args:
            text: What `lightgbm.Booster.save_model` wrote. It is checked first: the library can crash on a damaged one.

        Raises:
            ValueError: It is not such a model, is damaged, or is of a kind that is not served; says which and where.
        """
        checked = check_text(text)
        try:
            self._trees = NativeTrees(checked.text, len(checked.features), len(checked.trees), NUM_THREADS)
        except ValueError as error:
            raise ValueError(f"LightGBM cannot load the model ({error})") from None
        self.features: tuple[str, ...] = checked.features
        self.trees = len(checked.trees)
        self._each = checked.trees
        graph = tree_graph(checked)
        # The same scores in two thirds of the time; shares and leaves are the library's.
        self._session: Any = None if graph is None else _opened(graph)

    def predict(self, x: npt.NDArray[Any]) -> Float32:
        """Raw scores ``float32[n]`` of the rows of ``x``, ``float32[n, f]``; NaN stands for what is missing.

        Raises:
            InferenceError: A score is NaN or infinite.
            ValueError: ``x`` has another type or shape.
        """
        if self._session is None or not len(x):
            return self._predict(x, contributions=False)
        self._check(x)
        (found,) = self._session.run((OUTPUT,), {INPUT: x.astype(np.float64)})
        return _finite(found[:, 0])

    def contributions(self, x: npt.NDArray[Any]) -> Float32:
        """Share of each feature in each score, ``float32[n, f + 1]``; the last column is the mean score.

        They add up to the score: SHAP values by TreeSHAP (Lundberg et al., "Consistent Individualized Feature
        Attribution for Tree Ensembles", arXiv:1802.03888, algorithm 2).

        Raises:
            InferenceError: A share is NaN or infinite.
            ValueError: ``x`` has another type or shape.
        """
        return self._predict(x, contributions=True)

    def leaves(self, x: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """The leaf in which each row ends, ``int32[n, trees]``, numbered within each tree.

        Raises:
            ValueError: ``x`` has another type or shape.
        """
        self._check(x)
        if not len(x):
            return np.zeros((0, self.trees), np.int32)
        return self._trees.predict(x, Predicts.LEAF).astype(np.int32)

    def paths(self) -> PathTable:
        """What each leaf owes to each feature; worked out anew at every call."""
        return PathTable.of(self._each, len(self.features))

    def _check(self, x: npt.NDArray[Any]) -> None:
        wanted = len(self.features)
        if x.dtype != np.float32 or x.ndim != 2 or x.shape[1] != wanted or not x.flags.c_contiguous:
            order = "" if x.flags.c_contiguous else ", not C-contiguous"
            raise ValueError(
                f"the tree model takes C-contiguous float32 of shape (n, {wanted}), not {x.dtype} of {x.shape}{order}"
            )

    def _predict(self, x: npt.NDArray[Any], *, contributions: bool) -> Float32:
        self._check(x)
        if not len(x):
            return np.zeros((0, len(self.features) + 1) if contributions else 0, np.float32)
        found = self._trees.predict(x, Predicts.CONTRIBUTIONS if contributions else Predicts.RAW)
        if not contributions:
            found = found[:, 0]
        return _finite(found)


def _opened(graph: bytes) -> Any:
    """What runs it; nothing where ONNX Runtime is missing or does not take it: the library runs it then."""
    try:
        return open_on_cpu(graph)
    except (ConfigError, ValueError):
        return None


def _finite(found: Any) -> Float32:
    if not np.isfinite(found).all():
        raise InferenceError("the tree model's scores have values that are NaN or infinite")
    return np.asarray(found, np.float32)
