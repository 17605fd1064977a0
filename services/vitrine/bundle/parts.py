"""The parts of a bundle that are arrays alone: neighbours, visits, content vectors and the encoder of texts."""

import numpy as np
import numpy.typing as npt

from vitrine.bundle.files import PIECE, BundleFiles
from vitrine.bundle.item_item import ItemItem
from vitrine.bundle.manifest import MANIFEST
from vitrine.bundle.visits import Visits
from vitrine.content.encoder import HashedEncoder
from vitrine.content.model import ContentModel, TextEncoder
from vitrine.errors import BundleError

# By how much the square of a length may differ from 1.
_NOT_UNIT = 1.01e-3


def read_item_item(files: BundleFiles, part: str, n: int) -> ItemItem | None:
    """Neighbours of n items, or nothing.

    Raises:
        BundleError: They are not a matrix by rows, positive and best first.
    """
    names = [f"{part}.{column}.npy" for column in ("indptr", "indices", "weights")]
    if not any(name in files for name in names):
        return None
    indptr = files.array(names[0], "int64", (n + 1,))
    nnz = int(indptr[-1])
    if indptr[0] != 0 or nnz < 0 or (np.diff(indptr) < 0).any():
        raise BundleError(f"{files.path / names[0]}: row boundaries go backwards; train the bundle again")
    indices = files.array(names[1], "int32", (nnz,))
    files.within(names[1], indices, n)
    weights = files.array(names[2], "float32", (nnz,))
    if not _best_first(indptr, weights):
        files.finite(names[2], weights)
        raise BundleError(
            f"{files.path / names[2]}: weights are not positive, best first; train the bundle again"
        )
    return ItemItem(indptr, indices, weights)


def _best_first(indptr: npt.NDArray[np.int64], weights: npt.NDArray[np.float32]) -> bool:
    """Whether the weights of each row are finite, above 0 and do not rise."""
    inside = np.ones(len(weights) + 1, np.bool_)
    inside[indptr] = False
    # The last of a piece is the first of the next one, with which it is compared there.
    for start in range(0, len(weights), PIECE):
        piece = weights[start : start + PIECE + 1]
        rises = piece[1:] > piece[:-1]
        rises &= inside[start + 1 : start + len(piece)]
        # NaN is neither.
        if not (piece.min() > 0 and piece.max() < np.inf) or rises.any():
            return False
    return True


def read_visits(files: BundleFiles, n: int) -> Visits | None:
    """Past visits to n items, or nothing.

    Raises:
        BundleError: They are not lists of items, each item once.
    """
    bounds, names = (f"visits.{column}.npy" for column in ("indptr", "items"))
    if bounds not in files and names not in files:
        return None
    indptr = files.array(bounds, "int64", (None,))
    lengths = np.diff(indptr)
    if not len(indptr) or indptr[0] != 0 or (lengths < 0).any():
        raise BundleError(f"{files.path / bounds}: visits begin before they end; train the bundle again")
    items = files.array(names, "int32", (int(indptr[-1]),))
    files.within(names, items, n)
    visits = Visits(indptr, items, n)
    if visits.names_twice():
        raise BundleError(f"{files.path / names}: a visit names an item twice; train the bundle again")
    return visits


def read_content(files: BundleFiles, n: int) -> ContentModel | None:
    """Content vectors of n items and what makes them, or nothing.

    Raises:
        BundleError: They are not of length 1, or the encoder makes others.
    """
    kind = files.manifest.content_kind
    if kind is None:
        return None
    vectors = files.array("content.vectors.npy", "float32", (n, None))
    files.finite("content.vectors.npy", vectors)
    where = files.path / "content.vectors.npy"
    length = np.einsum("ij,ij->i", vectors, vectors)
    if not ((np.abs(length - 1) <= _NOT_UNIT) | (length == 0)).all():
        raise BundleError(f"{where}: vectors are not of length 1; train the bundle again")
    encoder = _encoder(files, kind)
    if encoder.dimensions != vectors.shape[1]:
        raise BundleError(
            f"{where}: vectors have {vectors.shape[1]} numbers and the encoder makes {encoder.dimensions}; train it again"
        )
    return ContentModel(vectors, encoder)


def _encoder(files: BundleFiles, kind: str) -> TextEncoder:
    if kind == "hashed":
        return _hashed(files)
    if kind == "sentence":
        from vitrine.content.sentence import SentenceEncoder

        model, tokenizer = files.data("encoder/model.onnx"), files.data("encoder/tokenizer.json")
        try:
            return SentenceEncoder(bytes(model), bytes(tokenizer))
        except ValueError as error:
            raise BundleError(f"{files.path / 'encoder'}: {error}; train the bundle again") from None
    raise BundleError(
        f"{files.path / MANIFEST}: content_kind {kind!r} is not known; train the bundle again with this version of Vitrine"
    )


def _hashed(files: BundleFiles) -> HashedEncoder:
    vocabulary = files.array("content.vocabulary.npy", "uint64", (None,))
    idf = files.array("content.idf.npy", "float32", (len(vocabulary),))
    projection = files.array("content.projection.npy", "float16", (len(vocabulary), None))
    if (vocabulary[1:] <= vocabulary[:-1]).any():
        raise BundleError(f"{files.path / 'content.vocabulary.npy'}: is not sorted; train the bundle again")
    files.finite("content.idf.npy", idf)
    files.finite("content.projection.npy", projection)
    return HashedEncoder(vocabulary, idf, projection)
