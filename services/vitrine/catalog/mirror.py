"""The catalogue of a store that another process of this machine owns, read from its file; rows are the owner's."""

from pathlib import Path
from threading import Lock
from typing import cast

import msgspec

from vitrine.catalog.catalog import Catalog
from vitrine.catalog.database import Database
from vitrine.catalog.documents import document, same_text
from vitrine.catalog.filling import fill
from vitrine.catalog.records import Record, Records
from vitrine.catalog.text_index import TextIndex
from vitrine.domain.items import Item

_decode = msgspec.msgpack.Decoder(Item).decode
_CHUNK = 10_000


class CatalogMirror:
    """Fills a `Catalog` from the owner's file, and goes on from its revision whenever it is told of a newer one.

    Rows get the numbers that they have in the file, so that its full-text index speaks of the same rows.

    Args:
        directory: Where the owner's ``catalog.db`` lies.
        catalog: The catalogue to fill, empty.
        shop: Prefix of every key.

    Attributes:
        catalog: The catalogue; only this object may change it.
        text: Searches it.
    """

    def __init__(self, directory: Path, catalog: Catalog, shop: str = "default") -> None:
        self.catalog = catalog
        self._shop = shop
        self._database = Database(directory, shop, owner=False)
        self._records = Records(self._database, shop)
        self.text = TextIndex(self._records.postings)
        self._lock = Lock()
        fill(self._records, catalog, self.text)
        self.refresh()

    def refresh(self, revision: int | None = None) -> None:
        """Takes in what changed; returns at once where the catalogue is as new as ``revision`` already."""
        with self._lock:
            if revision is not None and self.catalog.revision >= revision:
                return
            self._apply(self._changed(self.catalog.revision))

    def keep(self, name: str, data: bytes) -> None:
        """Keeps nothing: only the owner writes."""

    def kept(self, name: str) -> memoryview | None:
        """What the owner kept under a name."""
        return self._records.kept(name)

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def _changed(self, revision: int) -> list[Record]:
        """Everything after a revision by number, as of one moment: so no number below that of a new item is missing."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT number, words, revision, data FROM items WHERE shop = ? AND revision > ? ORDER BY number",
                (self._shop, revision),
            ).fetchall()
        return [Record(*row) for row in cast("list[tuple[int, int, int, bytes]]", rows)]

    def _apply(self, records: list[Record]) -> None:
        if not records:
            return
        catalog, size = self.catalog, len(self.catalog)
        packed = [r.data for r in records]
        items = [_decode(p) for p in packed]
        texts = {}
        for record, item in zip(records, items, strict=True):
            old = catalog.item(record.number) if record.number < size else None
            if old is not None and not same_text(old, item):
                texts[record.number] = (document(old), document(item))
        fresh = [r for r in records if r.number >= size]
        if fresh and size:
            # Words that were asked for before are read again: new items have some of them.
            texts |= {r.number: (document(None), document(_decode(r.data))) for r in fresh}
        elif fresh:
            self.text.set_lengths(0, [r.words for r in fresh])
        self.text.update(texts)
        # The revision last: who sees it finds all that it has.
        newest = max(r.revision for r in records)
        for start in range(0, len(items), _CHUNK):
            end = start + _CHUNK
            catalog.apply(
                items[start:end], newest if end >= len(items) else catalog.revision, packed[start:end]
            )
