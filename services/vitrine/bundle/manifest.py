"""What a bundle says of itself."""

import hashlib
import re
from datetime import datetime

import msgspec

from vitrine.bundle.entries import DatasetRef, FileEntry, ModelEntry, TrainingWindow
from vitrine.decoding import UNREADABLE
from vitrine.errors import BundleError

SCHEMA_VERSION = 2
MANIFEST = "manifest.json"

Parameter = str | int | float | bool | None

# At most one folder deep, no leading dot: a name can lead nowhere but into the bundle.
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_NO_DIGEST = b"0" * 64


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `manifest.json` says.

    Attributes:
        schema_version: Version of the folder's format.
        version: Twelve hexadecimal digits that change with the contents; equal contents have equal versions.
        name: For people.
        created: When it was written.
        window: The events that were trained on.
        dataset: Where they came from.
        items: Number of items.
        content_kind: What makes content vectors: "hashed", "sentence", or nothing.
        off: Part that is missing -> why.
        metrics: What validation measured, by name.
        parameters: What training was told or chose.
        packages: Versions of the packages that wrote it.
        models: Models by name.
        texts: Words of the feature columns that plugins contributed, by name: of use also where the plugin is not.
        interest_length: How many events the model "interest" takes at most.
        files: Every other file of the folder, by name.
        checksum: SHA-256 of this file with these 64 digits as zeros.
    """

    schema_version: int = SCHEMA_VERSION
    version: str = ""
    name: str = ""
    created: datetime
    window: TrainingWindow = TrainingWindow()
    dataset: DatasetRef = DatasetRef()
    items: int
    content_kind: str | None = None
    off: dict[str, str] = {}
    metrics: dict[str, float] = {}
    parameters: dict[str, Parameter] = {}
    packages: dict[str, str] = {}
    models: dict[str, ModelEntry] = {}
    texts: dict[str, str] = {}
    interest_length: int | None = None
    files: dict[str, FileEntry] = {}
    checksum: str = ""


class _Schema(msgspec.Struct):
    schema_version: int


def content_version(manifest: Manifest) -> str:
    """The version of a bundle with these files, used in this way."""
    lines = "".join(f"{name}\0{entry.sha256}\n" for name, entry in sorted(manifest.files.items()))
    # Texts only where there are some: bundles that were written before there were any keep their version.
    use = (manifest.content_kind, manifest.models, manifest.interest_length, *filter(None, [manifest.texts]))
    return hashlib.sha256(lines.encode() + msgspec.json.encode(use, order="deterministic")).hexdigest()[:12]


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of `manifest.json`, with version and checksum filled in."""
    unsigned = msgspec.structs.replace(
        manifest, version=content_version(manifest), checksum=_NO_DIGEST.decode()
    )
    raw = msgspec.json.format(msgspec.json.encode(unsigned), indent=2) + b"\n"
    head, mark, tail = raw.rpartition(_NO_DIGEST)
    if not mark:  # pragma: no cover - the field is always there
        raise AssertionError("no checksum field")
    return head + hashlib.sha256(raw).hexdigest().encode() + tail


def decode_manifest(raw: bytes, where: str) -> Manifest:
    """Reads and checks `manifest.json`.

    Args:
        raw: Its bytes.
        where: Its path, for messages.

    Raises:
        BundleError: It is damaged, of another schema, or names a file outside the bundle.
    """
    try:
        schema = msgspec.json.decode(raw, type=_Schema).schema_version
    except UNREADABLE as error:
        raise BundleError(f"{where}: not a bundle manifest ({error}); train the bundle again") from None
    if schema != SCHEMA_VERSION:
        raise BundleError(
            f"{where}: schema_version is {schema}, this program reads {SCHEMA_VERSION}; "
            "train the bundle again with this version of Vitrine"
        )
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except UNREADABLE as error:
        raise BundleError(f"{where}: damaged ({error}); copy or train the bundle again") from None
    digest = manifest.checksum.encode()
    head, _, tail = raw.rpartition(digest)
    if len(digest) != 64 or hashlib.sha256(head + _NO_DIGEST + tail).hexdigest().encode() != digest:
        raise BundleError(
            f"{where}: its checksum does not match, it was changed; copy or train the bundle again"
        )
    for name in manifest.files:
        if not _SAFE_NAME.fullmatch(name) or name == MANIFEST:
            raise BundleError(
                f"{where}: lists the file {name!r}, which is not a name inside a bundle; do not use it"
            )
    if manifest.version != content_version(manifest):
        raise BundleError(
            f"{where}: version does not belong to the listed files and models; train the bundle again"
        )
    return manifest
