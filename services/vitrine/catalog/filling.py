"""Fills a catalogue from its store at the start: columns as they were kept, items where they have changed since."""

from collections.abc import Iterable

import msgspec
import numpy as np

from vitrine.catalog.catalog import Catalog
from vitrine.catalog.kept import PART, keep, restore
from vitrine.catalog.records import Records
from vitrine.catalog.text_index import TextIndex
from vitrine.domain.items import Item

_decode = msgspec.msgpack.Decoder(Item).decode

# Parts that are mapped, which takes a descriptor each: systems allow a process 256 to 1,024 unless told otherwise.
_MAPPED = 128


def fill(records: Records, catalog: Catalog, text: TextIndex) -> set[int]:
    """Every item, row by row, into an empty catalogue that nobody listens to.

    Returns:
        The first row of each part that is not kept as it is now.
    """
    anew: set[int] = set()
    with records.unchanging():
        revision, changed = records.revision(), records.changed_since_kept(PART)
        for start in range(0, records.count(), PART):
            mapped = start < _MAPPED * PART
            kept = None if start in changed else records.kept_part(start, mapped=mapped)
            words = restore(catalog, kept, revision)
            if words is None:
                anew.add(start)
                chunk = records.between(start, start + PART)
                words = np.array([record.words for record in chunk], np.int32)
                packed = [record.data for record in chunk]
                catalog.apply([_decode(data) for data in packed], revision, packed)
            text.set_lengths(start, words)
    return anew


def keep_parts(records: Records, catalog: Catalog, text: TextIndex, starts: Iterable[int]) -> None:
    """Keeps the parts that begin at some rows; the others are kept as they are. Nobody may change the catalogue meanwhile.

    Raises:
        Unavailable: They could not be stored.
    """
    for start in sorted(starts):
        # One by one: all of them at once would take as much memory as the catalogue.
        records.keep_part(start, keep(catalog, text.lengths(start, min(start + PART, len(catalog))), start))
    # Last: should this end before, what was kept is compared with older items, and perhaps made anew in vain.
    records.kept_until(catalog.revision)
