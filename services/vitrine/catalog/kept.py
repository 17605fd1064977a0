"""Rows of the catalogue as columns, kept beside the items that they were made from, so that a start need not make them.

The database says by a hash which file is meant (`vitrine.catalog.beside`), and by a revision until when all of them were
right: rows that changed after that are made from their items.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.catalog.catalog import Catalog
from vitrine.catalog.columns import Columns, Rows
from vitrine.catalog.packed import Block

# Rows that are kept together: so many are kept anew where one of them has changed.
PART = 8192
# Raise it when rows of the same items become other columns.
_FORMAT = 2
# By column, little-endian.
_TYPES = {
    "sellable": "?",
    "price_micros": "<i8",
    "created": "<f8",
    "category": "<i4",
    "brand": "<i4",
    "tie": "<u8",
    "text_hash": "<u8",
}
_WORDS, _ENDS = "<i4", "<i8"
# Bytes of the length of the head, which comes first.
_LENGTH = 8

Words = npt.NDArray[np.int32]


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """Rows that follow one another; codes are places in the lists of names here. Their items come after it."""

    format: int
    seed: int
    ids: list[str]
    words: bytes
    ends: bytes
    category_levels: list[tuple[str, ...]]
    brands: list[str]
    columns: dict[str, bytes]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Head).decode


def keep(catalog: Catalog, words: npt.NDArray[np.number], start: int) -> bytes:
    """Rows from ``start`` on, of which there are as many as ``words``. Nobody may change the catalogue meanwhile.

    Args:
        catalog: The catalogue.
        words: How many words each of the rows has.
        start: The first of them.
    """
    end = start + len(words)
    rows, packed = catalog.columns[start:end], catalog.packed(start, end)
    values = {name: getattr(rows, name) for name in _TYPES}
    values["category"], categories = _own(rows.category)
    values["brand"], brands = _own(rows.brand)
    head = _encode(
        _Head(
            format=_FORMAT,
            seed=catalog.seed,
            ids=catalog.ids[start:end],
            words=words.astype(_WORDS).tobytes(),
            ends=np.cumsum([len(data) for data in packed], dtype=_ENDS).tobytes(),
            category_levels=[catalog.category_levels(code) for code in categories],
            brands=[catalog.brands[code] for code in brands],
            columns={n: values[n].astype(kind, copy=False).tobytes() for n, kind in _TYPES.items()},
        )
    )
    return b"".join((len(head).to_bytes(_LENGTH, "little"), head, *packed))


def restore(catalog: Catalog, kept: memoryview | None, revision: int) -> Words | None:
    """Adds rows to a catalogue from what was kept of them, unless that is of another make.

    Args:
        catalog: Where to; nobody listens yet. It reads ``kept`` from now on.
        kept: What `keep` answered for the rows that come next, if it was called.
        revision: Of the catalogue with them.

    Returns:
        How many words each has; nothing where they were not added.
    """
    if kept is None:
        return None
    end = _LENGTH + int.from_bytes(kept[:_LENGTH], "little")
    try:
        head = _decode(kept[_LENGTH:end])
        if (head.format, head.seed) != (_FORMAT, catalog.seed):
            # Ties depend on the seed.
            return None
        words, ends = np.frombuffer(head.words, _WORDS), np.frombuffer(head.ends, _ENDS)
        values = {name: np.frombuffer(head.columns[name], kind) for name, kind in _TYPES.items()}
        if {len(words), len(ends), *(len(column) for column in values.values())} != {len(head.ids)}:
            return None
        if len(ends) and (ends[0] < 0 or (np.diff(ends) < 0).any() or end + ends[-1] != len(kept)):
            return None
        for name, names in (("category", head.category_levels), ("brand", head.brands)):
            if values[name].min(initial=-1) < -1 or values[name].max(initial=-1) >= len(names):
                return None
    except (msgspec.MsgspecError, KeyError, ValueError):
        return None
    categories, brands = catalog.codes(head.category_levels, head.brands)
    values["category"] = _theirs(values["category"], categories)
    values["brand"] = _theirs(values["brand"], brands)
    catalog.extend(head.ids, Block(kept[end:], ends), Columns(**values), revision)
    return words


def _own(codes: Rows) -> tuple[Rows, list[int]]:
    """Codes as places in the list of those that there are, in order of first appearance; −1 stays."""
    found, first, place = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first[found >= 0])
    own = np.full(len(found), -1, np.int32)
    known = np.flatnonzero(found >= 0)[order]
    own[known] = np.arange(len(known), dtype=np.int32)
    return own[place], found[known].tolist()


def _theirs(places: Rows, codes: Rows) -> Rows:
    """The codes at some places; −1 stays."""
    return np.append(codes, np.int32(-1))[places]
