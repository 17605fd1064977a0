"""Loads a bundle, or refuses it with the reason."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from vitrine.bundle.files import BundleFiles
from vitrine.bundle.item_item import ItemItem
from vitrine.bundle.manifest import Manifest
from vitrine.content.encoder import HashedEncoder
from vitrine.content.model import ContentModel, TextEncoder
from vitrine.domain.ids import MAX_ID_BYTES
from vitrine.errors import BundleError

ITEMS = "items.parquet"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What training hands to serving. Immutable; its arrays are mapped from the files, which may be deleted.

    Attributes:
        path: Where it was loaded from.
        manifest: What it says of itself.
        item_ids: The n items by row.
        row_of: Row by item.
        text_hashes: ``uint64[n]``, hash of each item's text in training (`vitrine.content.text.text_hash`).
        co_visitation: Items that are visited or bought together, or nothing.
        linear: Neighbours of a linear or latent-factor model, or nothing.
        content: Content vectors and what makes them, or nothing.
    """

    path: Path
    manifest: Manifest
    item_ids: Sequence[str]
    row_of: Mapping[str, int]
    text_hashes: npt.NDArray[np.uint64]
    co_visitation: ItemItem | None
    linear: ItemItem | None
    content: ContentModel | None

    @property
    def version(self) -> str:
        """The version: a short hash of the contents."""
        return self.manifest.version

    def __len__(self) -> int:
        return len(self.item_ids)


def load_bundle(path: str | PathLike[str]) -> Bundle:
    """Loads a bundle after verifying every file of it.

    Args:
        path: The folder.

    Raises:
        BundleError: It is missing, changed, of another schema or unsafe; the text names the file and what to do.
    """
    files = BundleFiles(Path(path))
    ids, hashes = _items(files)
    n = len(ids)
    row_of = dict(zip(ids, range(n), strict=True))
    if len(row_of) != n:
        raise BundleError(f"{files.path / ITEMS}: holds an item twice; train the bundle again")
    return Bundle(
        path=files.path,
        manifest=files.manifest,
        item_ids=ids,
        row_of=row_of,
        text_hashes=hashes,
        co_visitation=_item_item(files, "co_visitation", n),
        linear=_item_item(files, "linear", n),
        content=_content(files, n),
    )


def _items(files: BundleFiles) -> tuple[list[str], npt.NDArray[np.uint64]]:
    where = files.path / ITEMS
    try:
        table = pl.read_parquet(io.BytesIO(files.data(ITEMS)))
    except pl.exceptions.PolarsError as error:
        raise BundleError(f"{where}: not a Parquet file ({error}); train the bundle again") from None
    if table.schema != {"item_id": pl.String, "text_hash": pl.UInt64}:
        raise BundleError(f"{where}: has columns {dict(table.schema)}; train the bundle again")
    if table.height != files.manifest.items:
        raise BundleError(
            f"{where}: has {table.height} items instead of {files.manifest.items}; train it again"
        )
    ids = table["item_id"]
    sizes = ids.str.len_bytes()
    if ids.null_count() or table["text_hash"].null_count():
        raise BundleError(f"{where}: holds empty cells; train the bundle again")
    if table.height and not sizes.is_between(1, MAX_ID_BYTES).all():
        raise BundleError(
            f"{where}: holds an id that is not of 1 to {MAX_ID_BYTES} bytes; train the bundle again"
        )
    return ids.to_list(), table["text_hash"].to_numpy()


def _item_item(files: BundleFiles, part: str, n: int) -> ItemItem | None:
    names = [f"{part}.{column}.npy" for column in ("indptr", "indices", "weights")]
    if not any(name in files for name in names):
        return None
    indptr = files.array(names[0], "int64", (n + 1,))
    nnz = int(indptr[-1])
    if indptr[0] != 0 or nnz < 0 or (np.diff(indptr) < 0).any():
        raise BundleError(f"{files.path / names[0]}: row boundaries go backwards; train the bundle again")
    indices = files.array(names[1], "int32", (nnz,))
    if nnz and (indices.min() < 0 or indices.max() >= n):
        raise BundleError(f"{files.path / names[1]}: names rows outside 0 to {n - 1}; train the bundle again")
    weights = files.array(names[2], "float32", (nnz,))
    files.finite(names[2], weights)
    rising = np.diff(weights) > 0
    rising[(indptr[1:-1] - 1)[(indptr[1:-1] > 0) & (indptr[1:-1] < nnz)]] = False
    if nnz and (weights.min() <= 0 or rising.any()):
        raise BundleError(
            f"{files.path / names[2]}: weights are not positive, best first; train the bundle again"
        )
    return ItemItem(indptr, indices, weights)


def _content(files: BundleFiles, n: int) -> ContentModel | None:
    kind = files.manifest.content_kind
    if kind is None:
        return None
    vectors = files.array("content.vectors.npy", "float32", (n, None))
    files.finite("content.vectors.npy", vectors)
    where = files.path / "content.vectors.npy"
    length = np.einsum("ij,ij->i", vectors, vectors)
    if not (np.isclose(length, 1, atol=1e-3) | (length == 0)).all():
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
    raise BundleError(f"{files.path}: content_kind {kind!r} is not known; train the bundle with this version")


def _hashed(files: BundleFiles) -> HashedEncoder:
    vocabulary = files.array("content.vocabulary.npy", "uint64", (None,))
    idf = files.array("content.idf.npy", "float32", (len(vocabulary),))
    projection = files.array("content.projection.npy", "float16", (len(vocabulary), None))
    if (vocabulary[1:] <= vocabulary[:-1]).any():
        raise BundleError(f"{files.path / 'content.vocabulary.npy'}: is not sorted; train the bundle again")
    files.finite("content.idf.npy", idf)
    files.finite("content.projection.npy", projection)
    return HashedEncoder(vocabulary, idf, projection)
