"""Fits what turns texts into vectors."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from vitrine.content.encoder import HashedEncoder
from vitrine.content.features import Bag, item_bag, term_features
from vitrine.content.model import ContentModel, TextEncoder
from vitrine.domain.items import Item
from vitrine_export.train.parameters import Parameters

_CHUNK = 2048


def text_items(table: pl.DataFrame) -> list[Item]:
    """Items with what content vectors are made of; the rows of the table in order."""
    columns = set(table.columns)
    texts = {
        name: table[name].fill_null("").to_list() if name in columns else [""] * table.height
        for name in ("title", "description", "brand")
    }
    paths = table["category_path"].to_list() if "category_path" in columns else [None] * table.height
    return [
        Item(
            item_id=i,
            title=title,
            description=description,
            brand=brand,
            category_path=tuple(filter(None, path or ())),
        )
        for i, title, description, brand, path in zip(
            table["item_id"].to_list(),
            texts["title"],
            texts["description"],
            texts["brand"],
            paths,
            strict=True,
        )
    ]


def fit_encoder(items: Sequence[Item], parameters: Parameters, seed: int) -> HashedEncoder | None:
    """TF-IDF of hashed terms and its truncated singular value decomposition.

    Latent semantic analysis (Deerwester et al., JASIS 1990); smoothed idf ``ln((1 + n) ÷ (1 + df)) + 1``.

    Returns:
        The encoder; ``None`` when no two items share a term.
    """
    from sklearn.utils.extmath import randomized_svd

    counts, hashes = _feature_matrix([item_bag(i) for i in items])
    frequency = np.bincount(counts.indices, minlength=len(hashes))
    keep = np.flatnonzero(frequency >= 2)
    if len(keep) > parameters.max_features:
        keep = np.sort(keep[np.lexsort((hashes[keep], -frequency[keep]))[: parameters.max_features]])
    counts = sp.csr_array(counts[:, keep])
    dimensions = min(parameters.dimensions, min(counts.shape) - 1)
    if dimensions < 1:
        return None
    idf = (np.log((1 + len(items)) / (1 + frequency[keep])) + 1).astype(np.float32)
    weighted = sp.csr_array(counts @ sp.diags_array(idf))
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted.data /= np.repeat(norms, np.diff(weighted.indptr))
    _, _, right = randomized_svd(weighted.astype(np.float32), dimensions, n_iter=4, random_state=seed)
    return HashedEncoder(hashes[keep], idf, np.ascontiguousarray(right.T.astype(np.float16)))


def content_vectors(
    items: Sequence[Item], encoder: TextEncoder, progress: Callable[[float], None] = lambda _: None
) -> ContentModel:
    """Vectors of the items, made by the code that makes them in serving."""
    vectors = np.zeros((len(items), encoder.dimensions), np.float32)
    for start in range(0, len(items), _CHUNK):
        chunk = items[start : start + _CHUNK]
        vectors[start : start + len(chunk)] = encoder.encode(chunk)
        progress((start + len(chunk)) / len(items))
    return ContentModel(vectors, encoder)


def _feature_matrix(
    bags: Sequence[Bag],
) -> tuple[sp.csr_array[np.float64, tuple[int, int]], npt.NDArray[np.uint64]]:
    """``items × features`` weights, and the hashes of the features, ascending."""
    number: dict[str, int] = {}
    terms = np.fromiter((number.setdefault(t, len(number)) for bag in bags for t in bag), np.int64)
    shares = np.fromiter((w for bag in bags for w in bag.values()), np.float64, len(terms))
    indptr = np.concatenate(([0], np.cumsum([len(bag) for bag in bags], dtype=np.int64)))
    by_term = sp.csr_array((shares, terms, indptr), shape=(len(bags), len(number)))
    features = [term_features(t) for t in number]
    sizes = np.array([len(h) for h, _ in features], np.int64)
    flat = np.concatenate([h for h, _ in features]) if features else np.zeros(0, np.uint64)
    weights = np.concatenate([w for _, w in features]) if features else np.zeros(0)
    hashes, column = np.unique(flat, return_inverse=True)
    expand = sp.csr_array(
        (weights, column, np.concatenate(([0], np.cumsum(sizes)))), shape=(len(number), len(hashes))
    )
    return sp.csr_array(by_term @ expand), hashes
