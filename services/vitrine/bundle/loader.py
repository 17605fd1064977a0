"""Loads a bundle, or refuses it with the reason."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
import polars as pl

from vitrine.bundle.factors import Factors, read_factors
from vitrine.bundle.files import BundleFiles
from vitrine.bundle.interest import MODEL as INTEREST
from vitrine.bundle.interest import read_interest
from vitrine.bundle.item_item import ItemItem
from vitrine.bundle.manifest import Manifest
from vitrine.bundle.models import KnownFeatures, Model, read_models
from vitrine.bundle.parts import read_content, read_item_item, read_visits
from vitrine.bundle.shoppers import Shoppers, read_shoppers
from vitrine.bundle.visits import Visits
from vitrine.config import InferenceConfig
from vitrine.content.model import ContentModel
from vitrine.domain.columns import problem
from vitrine.domain.ids import MAX_ID_BYTES
from vitrine.errors import BundleError
from vitrine.interest import InterestModel

ITEMS = "items.parquet"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What training hands to serving. Immutable; it needs its files no more, which may be replaced.

    Attributes:
        path: Where it was loaded from.
        manifest: What it says of itself.
        item_ids: The n items by row.
        text_hashes: ``uint64[n]``, hash of each item's text in training (`vitrine.content.text.text_hash`).
        co_visitation: Items that are visited or bought together, or nothing.
        linear: Neighbours of a linear or latent-factor model, or nothing.
        content: Content vectors and what makes them, or nothing.
        models: Models by name, verified and ready to run.
        interest: The interest model with the vectors of the n items, or nothing.
        follows: What items are followed by, or nothing.
        visits: Past visits, or nothing.
        shoppers: Past shoppers, or nothing.
        factors: Latent factors of the n items, or nothing.
    """

    path: Path
    manifest: Manifest
    item_ids: Sequence[str]
    text_hashes: npt.NDArray[np.uint64]
    co_visitation: ItemItem | None
    linear: ItemItem | None
    content: ContentModel | None
    models: Mapping[str, Model]
    interest: InterestModel | None
    follows: ItemItem | None = None
    visits: Visits | None = None
    shoppers: Shoppers | None = None
    factors: Factors | None = None

    @property
    def version(self) -> str:
        """The version: a short hash of the contents."""
        return self.manifest.version

    @property
    def row_of(self) -> dict[str, int]:
        """Row by item, made anew at every call."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    def __len__(self) -> int:
        return len(self.item_ids)


def load_bundle(
    path: str | PathLike[str],
    inference: InferenceConfig | None = None,
    *,
    known_features: KnownFeatures | None = None,
) -> Bundle:
    """Loads a bundle after verifying every file of it and running the golden inputs of every model.

    Args:
        path: The folder.
        inference: What models run on; the defaults, unless told.
        known_features: Says what is wrong with a list of feature columns (``name:dtype:version``), or ""; asks
            `vitrine.features`, unless told.

    Raises:
        BundleError: It is missing, changed, of another schema, unsafe or answers otherwise than in training; the
            text names the file and what to do.
        ConfigError: The installation cannot run its models.
    """
    files = BundleFiles(Path(path))
    ids, hashes = _items(files)
    n = len(ids)
    co_visitation, linear, follows = (
        read_item_item(files, part, n) for part in ("co_visitation", "linear", "follows")
    )
    content = read_content(files, n)
    models = read_models(files, inference, known_features or problem)
    bundle = Bundle(
        path=files.path,
        manifest=files.manifest,
        item_ids=ids,
        text_hashes=hashes,
        co_visitation=co_visitation,
        linear=linear,
        content=content,
        models=models,
        interest=read_interest(files, models.get(INTEREST), n, 0 if content is None else content.dimensions),
        follows=follows,
        visits=read_visits(files, n),
        shoppers=read_shoppers(files, n),
        factors=read_factors(files, n),
    )
    files.refuse_unused()
    return bundle


class _Ids(Sequence[str]):
    """Ids, which are made strings when one of them is asked for: a start that has all rows needs none."""

    def __init__(self, ids: pl.Series) -> None:
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    @cached_property
    def _strings(self) -> list[str]:
        return self._ids.to_list()

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        return self._strings[row]

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings)


def _items(files: BundleFiles) -> tuple[Sequence[str], npt.NDArray[np.uint64]]:
    where = files.path / ITEMS
    try:
        table = pl.read_parquet(io.BytesIO(files.data(ITEMS)))
    # The reader panics on some damage; that is no `Exception`, and would end whatever thread loads a bundle.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
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
    if ids.n_unique() != table.height:
        raise BundleError(f"{where}: holds an item twice; train the bundle again")
    return _Ids(ids), table["text_hash"].to_numpy()
