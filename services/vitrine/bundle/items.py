"""The items of a bundle: which row is whose, and of which text. What a store remembers of them need not be read again."""

import io
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol, overload

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.bundle.files import BundleFiles
from vitrine.bundle.image import Image
from vitrine.domain.ids import MAX_ID_BYTES
from vitrine.errors import BundleError, VitrineError

log = logging.getLogger(__name__)

Hashes = npt.NDArray[np.uint64]

ITEMS = "items.parquet"
# Kept under it: the checksum of the manifest, the hashes, little-endian, and the ids as MessagePack.
_NAME = "items of the bundle"
_HASH = "<u8"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[str]).decode


class Keeps(Protocol):
    """What remembers things of one catalogue for the next start: its store."""

    def keep(self, name: str, data: bytes, /) -> None:
        """Puts something in the place of what was kept under a name; raises `VitrineError` where it cannot."""
        ...

    def kept(self, name: str, /) -> memoryview | None:
        """What was kept under it."""
        ...


class Items(NamedTuple):
    """The ids of n items by row, and ``uint64[n]``, hash of each item's text in training."""

    ids: Sequence[str]
    text_hashes: Hashes


class _Ids(Sequence[str]):
    """Ids, which are made strings when one of them is asked for: a start that has all rows needs none."""

    def __init__(self, count: int, read: Callable[[], list[str]]) -> None:
        self._count = count
        self._read = read

    def __len__(self) -> int:
        return self._count

    @cached_property
    def _strings(self) -> list[str]:
        return self._read()

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        return self._strings[row]

    def __iter__(self) -> Iterator[str]:
        return iter(self._strings)


def parquet_of(ids: Sequence[str], text_hashes: Hashes) -> bytes:
    """The file of n items."""
    # Half as much CPU and memory as the rest of a server's imports, and none of it is used in serving: here and below.
    import polars as pl

    file = io.BytesIO()
    schema = {"item_id": pl.String, "text_hash": pl.UInt64}
    pl.DataFrame({"item_id": list(ids), "text_hash": text_hashes}, schema=schema).write_parquet(file)
    return file.getvalue()


def read_items(files: BundleFiles, memory: Keeps | None) -> Items:
    """The items of a bundle.

    Args:
        files: The bundle.
        memory: The store of a catalogue, if there is one: the items of the bundle with this very manifest, checked
            before, are taken from it, and what was read is kept there.

    Raises:
        BundleError: The file is damaged, or an item is there twice, or of no possible id.
    """
    of, count = files.manifest.checksum.encode(), files.manifest.items
    file = files.data(ITEMS)
    if memory is None:
        return _read(files, file)
    kept = memory.kept(_NAME)
    ids_at = len(of) + count * np.dtype(_HASH).itemsize
    if kept is not None and kept[: len(of)] == of:
        ids = kept[ids_at:]
        return Items(_Ids(count, lambda: _decode(ids)), np.frombuffer(kept, _HASH, count, len(of)))
    items = _read(files, file)
    try:
        memory.keep(_NAME, of + items.text_hashes.astype(_HASH).tobytes() + _encode(list(items.ids)))
    except VitrineError as error:
        log.warning("the next start will take longer: %s", error)
    return items


def image_of(folder: Path, memory: Keeps) -> Image:
    """A verified bundle for processes that read what the store remembers, and may not write there.

    Raises:
        BundleError: It is refused, for its files or for its items.
    """
    image = Image.read(folder)
    try:
        read_items(BundleFiles(image), memory)
    except BaseException:
        image.close()
        raise
    return image


def _read(files: BundleFiles, file: memoryview) -> Items:
    import polars as pl

    where = files.path / ITEMS
    try:
        table = pl.read_parquet(io.BytesIO(file))
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
    return Items(_Ids(len(ids), ids.to_list), table["text_hash"].to_numpy())
