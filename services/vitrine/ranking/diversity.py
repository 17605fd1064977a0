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
    # What each item is worth beside each; beside several, the least of that.
    beside = value - strength * np.clip(vectors @ vectors.T, 0, 1).astype(np.float64)
    picked = np.empty(limit, np.int64)
    values = np.empty(limit, np.float32)
    for step in range(limit):
        best = int(value.argmax())
        picked[step], values[step] = best, value[best]
        np.minimum(value, beside[best], out=value)
        value[best] = -np.inf
    return picked, values
