"""Loads a bundle, or refuses it with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vitrine.bundle.factors import Factors, read_factors
from vitrine.bundle.files import BundleFiles
from vitrine.bundle.interest import MODEL as INTEREST
from vitrine.bundle.interest import read_interest
from vitrine.bundle.item_item import ItemItem
from vitrine.bundle.items import Keeps, read_items
from vitrine.bundle.manifest import Manifest
from vitrine.bundle.models import KnownFeatures, Model, read_models
from vitrine.bundle.parts import read_content, read_item_item, read_visits
from vitrine.bundle.shoppers import Shoppers, read_shoppers
from vitrine.bundle.visits import Visits
from vitrine.config import InferenceConfig
from vitrine.content.model import ContentModel
from vitrine.domain.columns import problem
from vitrine.interest import InterestModel


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
    memory: Keeps | None = None,
) -> Bundle:
    """Loads a bundle after verifying every file of it and running the golden inputs of every model.

    Args:
        path: The folder.
        inference: What models run on; the defaults, unless told.
        known_features: Says what is wrong with a list of feature columns (``name:dtype:version``), or ""; asks
            `vitrine.features`, unless told.
        memory: The store of the catalogue, which remembers what a start would find again.

    Raises:
        BundleError: It is missing, changed, of another schema, unsafe or answers otherwise than in training; the
            text names the file and what to do.
        ConfigError: The installation cannot run its models.
    """
    files = BundleFiles.open(Path(path))
    items = read_items(files, memory)
    n = len(items.ids)
    co_visitation, linear, follows = (
        read_item_item(files, part, n) for part in ("co_visitation", "linear", "follows")
    )
    content = read_content(files, n)
    models = read_models(files, inference, known_features or problem)
    bundle = Bundle(
        path=files.path,
        manifest=files.manifest,
        item_ids=items.ids,
        text_hashes=items.text_hashes,
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
