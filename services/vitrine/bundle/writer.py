"""Writes a bundle: whole or not at all."""

import hashlib
import os
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
import polars as pl

from vitrine import __version__
from vitrine.bundle.item_item import ItemItem
from vitrine.bundle.loader import ITEMS
from vitrine.bundle.manifest import (
    MANIFEST,
    DatasetRef,
    FileEntry,
    Manifest,
    Parameter,
    TrainingWindow,
    decode_manifest,
    encode_manifest,
)
from vitrine.content.model import ContentModel
from vitrine.errors import BundleError

_PACKAGES = ("numpy", "scipy", "polars", "scikit-learn", "onnxruntime", "tokenizers")


def write_bundle(
    out: str | PathLike[str],
    *,
    item_ids: Sequence[str],
    text_hashes: npt.NDArray[np.uint64] | None = None,
    co_visitation: ItemItem | None = None,
    linear: ItemItem | None = None,
    content: ContentModel | None = None,
    name: str = "",
    created: datetime | None = None,
    window: TrainingWindow | None = None,
    dataset: DatasetRef | None = None,
    off: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    parameters: Mapping[str, Parameter] | None = None,
) -> Manifest:
    """Writes a bundle beside ``out`` and then puts it in its place, so that no reader sees half of one.

    Args:
        out: The folder. A bundle that is there is replaced; any other non-empty folder is refused.
        item_ids: n identifiers by row.
        text_hashes: ``uint64[n]``; zeros when there are no texts.
        co_visitation: Neighbours by co-visitation.
        linear: Neighbours by the linear or latent-factor model.
        content: Content vectors and their encoder.
        name: For people.
        created: Now, unless told.
        window: The events that were trained on.
        dataset: Where they came from.
        off: Part that is missing -> why.
        metrics: What validation measured.
        parameters: What training was told or chose.

    Returns:
        The manifest as written.

    Raises:
        BundleError: ``out`` is something else, or cannot be written.
    """
    target = Path(out)
    check_target(target)
    hashes = np.zeros(len(item_ids), np.uint64) if text_hashes is None else text_hashes
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            pl.DataFrame(
                {"item_id": list(item_ids), "text_hash": hashes},
                schema={"item_id": pl.String, "text_hash": pl.UInt64},
            ).write_parquet(work / ITEMS)
            for part, model in (("co_visitation", co_visitation), ("linear", linear)):
                if model is not None:
                    for column in ("indptr", "indices", "weights"):
                        _save(work / f"{part}.{column}.npy", getattr(model, column))
            if content is not None:
                _save(work / "content.vectors.npy", content.vectors)
                for file, data in content.encoder.files().items():
                    _save(work / file, data)
            files = {
                path.relative_to(work).as_posix(): _entry(path)
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
                    files=files,
                )
            )
            (work / MANIFEST).write_bytes(raw)
            _publish(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise BundleError(f"{target}: cannot be written ({error.strerror or error})") from error
    return decode_manifest(raw, str(target / MANIFEST))


def check_target(target: Path) -> None:
    """Refuses to replace anything but a bundle or an empty folder.

    Raises:
        BundleError: Something else is there.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise BundleError(f"{target}: is not a folder; choose another --out")
    if target.is_dir() and not (target / MANIFEST).is_file() and any(target.iterdir()):
        raise BundleError(
            f"{target}: is neither empty nor a bundle, and would be replaced; choose another --out"
        )


def _save(path: Path, data: npt.NDArray[np.generic] | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        if isinstance(data, bytes):
            file.write(data)
        else:
            little = np.ascontiguousarray(data, data.dtype.newbyteorder("<"))
            np.lib.format.write_array(file, little, version=(1, 0), allow_pickle=False)


def _entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return FileEntry(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def _publish(work: Path, target: Path) -> None:
    """Puts the finished folder in its place; the one that was there goes."""
    work.chmod(0o755)  # mkdtemp makes it private
    old: Path | None = None
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
        target.rename(old / target.name)
    work.rename(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _packages() -> dict[str, str]:
    found = {"python": platform.python_version(), "vitrine": __version__}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
