"""Writes a bundle: whole or not at all."""

import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vitrine import __version__
from vitrine.bundle.entries import DatasetRef, TrainingWindow
from vitrine.bundle.factors import Factors
from vitrine.bundle.interest import InterestTable
from vitrine.bundle.item_item import ItemItem
from vitrine.bundle.items import ITEMS, parquet_of
from vitrine.bundle.loader import load_bundle
from vitrine.bundle.manifest import MANIFEST, Manifest, Parameter, decode_manifest, encode_manifest
from vitrine.bundle.model_file import ModelFile, check_names
from vitrine.bundle.publish import check_target, entry_of, publish, save
from vitrine.bundle.shoppers import Shoppers
from vitrine.bundle.visits import Visits
from vitrine.config import InferenceConfig
from vitrine.content.model import ContentModel
from vitrine.errors import BundleError

_PACKAGES = (
    "numpy",
    "scipy",
    "polars",
    "scikit-learn",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "lightgbm",
    "tokenizers",
    "torch",
)


def write_bundle(
    out: str | PathLike[str],
    *,
    item_ids: Sequence[str],
    text_hashes: npt.NDArray[np.uint64] | None = None,
    co_visitation: ItemItem | None = None,
    linear: ItemItem | None = None,
    content: ContentModel | None = None,
    models: Sequence[ModelFile] = (),
    interest: InterestTable | None = None,
    follows: ItemItem | None = None,
    visits: Visits | None = None,
    shoppers: Shoppers | None = None,
    factors: Factors | None = None,
    name: str = "",
    created: datetime | None = None,
    window: TrainingWindow | None = None,
    dataset: DatasetRef | None = None,
    off: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    parameters: Mapping[str, Parameter] | None = None,
    texts: Mapping[str, str] | None = None,
    inference: InferenceConfig | None = None,
) -> Manifest:
    """Writes a bundle beside ``out``, loads it as serving will, and only then puts it in its place.

    So no reader sees half of one, and what does not load or answers otherwise than in training is never published.

    Args:
        out: The folder. A bundle that is there is replaced; any other non-empty folder is refused.
        item_ids: n identifiers by row.
        text_hashes: ``uint64[n]``; zeros when there are no texts.
        co_visitation: Neighbours by co-visitation.
        linear: Neighbours by the linear or latent-factor model.
        content: Content vectors and their encoder.
        models: Models with their golden inputs and outputs.
        interest: Interest vectors of the items; goes with the model "interest".
        follows: What items are followed by.
        visits: Past visits.
        shoppers: Past shoppers.
        factors: Latent factors of the items.
        name: For people.
        created: Now, unless told.
        window: The events that were trained on.
        dataset: Where they came from.
        off: Part that is missing -> why.
        metrics: What validation measured.
        parameters: What training was told or chose.
        texts: Words of the feature columns that plugins contributed, by name.
        inference: What models run on while they are verified.

    Returns:
        The manifest as written.

    Raises:
        BundleError: ``out`` is something else, or cannot be written, or serving would refuse the bundle.
    """
    target = Path(out)
    check_target(target)
    check_names(models)
    hashes = np.zeros(len(item_ids), np.uint64) if text_hashes is None else text_hashes
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            save(work / ITEMS, parquet_of(item_ids, hashes))
            neighbours = {"co_visitation": co_visitation, "linear": linear, "follows": follows}
            for file, array in _arrays(neighbours, {"visits": visits, "shoppers": shoppers}, factors).items():
                save(work / file, array)
            if content is not None:
                save(work / "content.vectors.npy", content.vectors)
                for file, data in content.encoder.files().items():
                    save(work / file, data)
            for model_file in models:
                for file, data in model_file.files().items():
                    save(work / file, data)
            for file, vectors in ({} if interest is None else interest.files()).items():
                save(work / file, vectors)
            files = {
                path.relative_to(work).as_posix(): entry_of(path)
                for path in sorted(work.rglob("*"))
                if path.is_file()
            }
            raw = encode_manifest(
                Manifest(
                    name=name,
                    created=created or datetime.now(UTC),
                    window=window or TrainingWindow(),
                    dataset=dataset or DatasetRef(),
                    items=len(item_ids),
                    content_kind=None if content is None else content.encoder.kind,
                    off=dict(off or {}),
                    metrics=dict(metrics or {}),
                    parameters=dict(parameters or {}),
                    packages=_packages(),
                    models={model.name: model.entry() for model in models},
                    texts=dict(texts or {}),
                    interest_length=None if interest is None else interest.length,
                    files=files,
                )
            )
            (work / MANIFEST).write_bytes(raw)
            _verify(work, target, inference)
            publish(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise BundleError(f"{target}: cannot be written ({error.strerror or error})") from error
    return decode_manifest(raw, str(target / MANIFEST))


def _arrays(
    neighbours: Mapping[str, ItemItem | None],
    lists: Mapping[str, Visits | Shoppers | None],
    factors: Factors | None,
) -> dict[str, npt.NDArray[np.generic]]:
    """Files of the parts that are arrays alone."""
    files: dict[str, npt.NDArray[np.generic]] = {}
    for part, model in neighbours.items():
        if model is not None:
            files |= {
                f"{part}.{column}.npy": getattr(model, column) for column in ("indptr", "indices", "weights")
            }
    for part, held in lists.items():
        if held is not None:
            files |= {f"{part}.indptr.npy": held.indptr, f"{part}.items.npy": held.items}
    if factors is not None:
        files |= {
            f"factors.{column}.npy": getattr(factors, column) for column in ("vectors", "inward", "outward")
        }
    return files


def _verify(work: Path, target: Path, inference: InferenceConfig | None) -> None:
    try:
        load_bundle(work, inference)
    except BundleError as error:
        raise BundleError(
            f"not written, because serving would refuse it: {str(error).replace(str(work), str(target))}"
        ) from None


def _packages() -> dict[str, str]:
    found = {"python": platform.python_version(), "vitrine": __version__}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
