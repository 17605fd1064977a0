"""Diversity: maximal marginal relevance."""

import numpy as np
import numpy.typing as npt


def diversify(
    scores: npt.NDArray[np.float32], vectors: npt.NDArray[np.float32], strength: float, limit: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Picks items one after the other, each the best after a discount for resembling what is picked already.

    Maximal marginal relevance (Carbonell and Goldstein 1998, SIGIR, p. 336) with λ = 1 − strength.

    Args:
        scores: ``float32[n]``, best first.
        vectors: ``float32[n, d]`` of unit length; a zero row resembles nothing.
        strength: 0 keeps the order, 1 looks at differences alone.
        limit: How many to pick.

    Returns:
        ``int64[m]`` positions and ``float32[m]`` discounted scores, which never rise along the list.
    """
    limit = min(limit, len(scores))
    value = (1 - strength) * scores.astype(np.float64)
    alike = vectors @ vectors.T
    np.minimum(np.maximum(alike, 0, out=alike), 1, out=alike)
    # What each item is worth beside each; beside several, the least of that.
    beside = np.multiply(alike, strength, dtype=np.float64)
    np.subtract(value, beside, out=beside)
    picked: list[int] = []
    values: list[float] = []
    for _ in range(limit):
        best = int(value.argmax())
        picked.append(best)
        values.append(value[best])
        np.minimum(value, beside[best], out=value)
        value[best] = -np.inf
    return np.array(picked, np.int64), np.array(values, np.float32)
