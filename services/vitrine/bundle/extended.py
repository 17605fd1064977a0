"""A bundle with more models in it."""

import shutil
import tempfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import msgspec

from vitrine.bundle.loader import load_bundle
from vitrine.bundle.manifest import MANIFEST, decode_manifest, encode_manifest
from vitrine.bundle.model_file import ModelFile
from vitrine.bundle.publish import check_target, entry_of, publish, save
from vitrine.errors import BundleError


def extend_bundle(bundle: str | PathLike[str], out: str | PathLike[str], models: Sequence[ModelFile]) -> None:
    """Writes a copy of a bundle with models besides its own; verified as a server will before it is in its place.

    Args:
        bundle: The folder of the bundle, which stays as it is.
        out: The folder of the copy.
        models: The models; one of a name that is there replaces it.

    Raises:
        BundleError: ``out`` is something else, or cannot be written, or serving would refuse the copy.
    """
    target = Path(out)
    check_target(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            shutil.copytree(bundle, work, dirs_exist_ok=True)
            manifest = decode_manifest((work / MANIFEST).read_bytes(), str(Path(bundle) / MANIFEST))
            for model in models:
                for file, data in model.files().items():
                    save(work / file, data)
            files = {
                path.relative_to(work).as_posix(): entry_of(path)
                for path in sorted(work.rglob("*"))
                if path.is_file() and path != work / MANIFEST
            }
            more = {model.name: model.entry() for model in models}
            extended = msgspec.structs.replace(manifest, models=dict(manifest.models) | more, files=files)
            (work / MANIFEST).write_bytes(encode_manifest(extended))
            load_bundle(work)
            publish(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise BundleError(f"{target}: cannot be written ({error.strerror or error})") from error
