"""Rows of the catalogue as columns, kept beside the items that they were made from, so that a start need not make them.

They can be trusted because they say which bytes they were made from: rows of other bytes are made anew.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec
import numpy as np

from vitrine.catalog.catalog import Catalog
from vitrine.catalog.columns import Columns, Rows

# Rows that are kept together: so many are made anew where one of them has changed.
PART = 8192
# Raise it when rows of the same bytes become other columns.
_FORMAT = 1
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


class _Part(msgspec.Struct, frozen=True, array_like=True):
    """Rows that follow one another; codes are places in the lists of names here."""

    made_from: bytes
    ids: list[str]
    titles: list[str]
    category_levels: list[tuple[str, ...]]
    brands: list[str]
    columns: dict[str, bytes]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Part).decode


def keep(catalog: Catalog, start: int, end: int) -> bytes:
    """Rows ``start`` to ``end``. Nobody may change the catalogue meanwhile."""
    rows = catalog.columns[start:end]
    values = {name: getattr(rows, name) for name in _TYPES}
    values["category"], categories = _own(rows.category)
    values["brand"], brands = _own(rows.brand)
    return _encode(
        _Part(
            made_from=_made_from(catalog.packed(start, end), catalog.seed),
            ids=catalog.ids[start:end],
            titles=catalog.titles[start:end],
            category_levels=[catalog.category_levels(code) for code in categories],
            brands=[catalog.brands[code] for code in brands],
            columns={n: values[n].astype(kind, copy=False).tobytes() for n, kind in _TYPES.items()},
        )
    )


def restore(catalog: Catalog, kept: bytes | None, packed: Sequence[bytes], revision: int) -> bool:
    """Adds rows to a catalogue from what was kept of them, unless that is of other items or damaged.

    Args:
        catalog: Where to; nobody listens yet.
        kept: What `keep` answered for the rows that come next, if it was called.
        packed: The items, MessagePack.
        revision: Of the catalogue with them.

    Returns:
        Whether they were added.
    """
    if kept is None:
        return False
    try:
        part = _decode(kept)
        if part.made_from != _made_from(packed, catalog.seed) or len(part.ids) != len(packed):
            return False
        values = {name: np.frombuffer(part.columns[name], kind) for name, kind in _TYPES.items()}
        if {len(part.titles), *map(len, values.values())} != {len(packed)}:
            return False
        for name, names in (("category", part.category_levels), ("brand", part.brands)):
            if values[name].min(initial=-1) < -1 or values[name].max(initial=-1) >= len(names):
                return False
    except (msgspec.MsgspecError, KeyError, ValueError):
        return False
    categories, brands = catalog.codes(part.category_levels, part.brands)
    values["category"] = _theirs(values["category"], categories)
    values["brand"] = _theirs(values["brand"], brands)
    catalog.extend(part.ids, part.titles, packed, Columns(**values), revision)
    return True


def _made_from(packed: Sequence[bytes], seed: int) -> bytes:
    # Items in MessagePack say where they end. Ties depend on the seed.
    return sha256(b"%d %d %d " % (_FORMAT, seed, len(packed)) + b"".join(packed)).digest()


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
