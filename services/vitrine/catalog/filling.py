"""Fills a catalogue from its store at the start: columns as they were kept, items where they have changed since."""

from collections.abc import Iterable

import msgspec

from vitrine.catalog.catalog import Catalog
from vitrine.catalog.kept import PART, keep, restore
from vitrine.catalog.records import Records
from vitrine.catalog.text_index import TextIndex
from vitrine.domain.items import Item

_decode = msgspec.msgpack.Decoder(Item).decode


def fill(records: Records, catalog: Catalog, text: TextIndex) -> set[int]:
    """Every item, row by row, into an empty catalogue that nobody listens to.

    Returns:
        The first row of each part that had not been kept as it is now.
    """
    anew: set[int] = set()
    revision = 0
    for chunk in records.all(PART):
        _, words, revisions, packed = zip(*chunk, strict=True)
        start = len(catalog)
        text.set_lengths(start, words)
        revision = max(revision, *revisions)
        if not restore(catalog, records.kept(start), packed, revision):
            anew.add(start)
            catalog.apply([_decode(data) for data in packed], revision, packed)
    return anew


def keep_parts(records: Records, catalog: Catalog, starts: Iterable[int]) -> None:
    """Keeps the parts that begin at some rows. Nobody may change the catalogue meanwhile.

    Raises:
        Unavailable: They could not be stored.
    """
    size = len(catalog)
    records.keep({start: keep(catalog, start, min(start + PART, size)) for start in sorted(starts)})
