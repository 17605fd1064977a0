"""Which vectors lie together: k-means (Lloyd, IEEE Trans. Information Theory 28(2), 1982) on a sample."""

import numpy as np
import numpy.typing as npt

from vitrine.content.model import Vectors

_ROUNDS = 5
# So many vectors for each centroid are enough to place it; more only take longer.
_SAMPLE = 32
_CHUNK = 4096


def centroids_of(vectors: Vectors, count: int, seed: int = 0) -> Vectors:
    """``float32[count, d]``: centres of the groups that the vectors lie in, by squared distance.

    Not brought to length 1: where the lengths of vectors tell something, groups of long ones come apart from short.

    Args:
        vectors: ``float32[n, d]``, at least ``count`` of them.
        count: How many centroids.
        seed: Decides which vectors they start from; the same one gives the same groups.
    """
    rng = np.random.default_rng(seed)
    sample = vectors[np.sort(rng.permutation(len(vectors))[: _SAMPLE * count])]
    centroids = sample[rng.permutation(len(sample))[:count]].copy()
    for _ in range(_ROUNDS):
        nearest = nearest_centroids(sample, centroids)
        sizes = np.bincount(nearest, minlength=count)
        some = sizes > 0
        starts = np.cumsum(sizes) - sizes
        sums = np.add.reduceat(sample[np.argsort(nearest, kind="stable")], starts[some], axis=0)
        centroids[some] = sums / sizes[some, None]
        # A centroid that nothing is near to starts again elsewhere.
        centroids[~some] = sample[rng.permutation(len(sample))[: count - int(some.sum())]]
    return centroids


def nearest_centroids(vectors: Vectors, centroids: Vectors) -> npt.NDArray[np.int16]:
    """``int16[n]``: the nearest of at most 32,767 centroids to each of n vectors."""
    half = np.einsum("ij,ij->i", centroids, centroids) / 2
    found = np.empty(len(vectors), np.int16)
    for start in range(0, len(vectors), _CHUNK):
        products = vectors[start : start + _CHUNK] @ centroids.T
        products -= half
        found[start : start + _CHUNK] = products.argmax(axis=1)
    return found
