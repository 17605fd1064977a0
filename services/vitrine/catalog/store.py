"""The catalogue on disk: durable, revisioned, searchable. Owned by one process, which fills a `Catalog` from it."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

import msgspec
import numpy as np

from vitrine.catalog.catalog import Catalog
from vitrine.catalog.database import Database
from vitrine.catalog.documents import document, same_text
from vitrine.catalog.filling import fill, keep_parts
from vitrine.catalog.kept import PART
from vitrine.catalog.merge import merged
from vitrine.catalog.records import Record, Records
from vitrine.catalog.text_index import TextIndex
from vitrine.domain.items import Item
from vitrine.errors import VitrineError

_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Item).decode
_JOBS_A_COMMIT = 64
_CHUNK_BYTES = 2 << 20


class Changes(NamedTuple):
    """Items in order of revision, the revision up to which they go, and whether there was nothing newer."""

    items: list[Item]
    revision: int
    caught_up: bool


@dataclass(slots=True)
class _Job:
    """One upsert on its way."""

    items: Sequence[Item]
    mask: frozenset[str] | None
    now: float
    changed: dict[str, Item] = field(default_factory=dict)
    revision: int = 0
    error: VitrineError | None = None
    done: bool = False


class CatalogStore:
    """Items in SQLite. An upsert is all or nothing, on disk when it returns, and in the `Catalog` by then.

    Every changed item takes a revision of its own, so that a reader can stop and resume anywhere. Upserts that
    wait for each other share one transaction and one sync.
    """

    def __init__(self, database: Database, catalog: Catalog, shop: str) -> None:
        self.catalog = catalog
        self._database = database
        self._records = Records(database, shop)
        self.text = TextIndex(self._records.postings)
        self._jobs: deque[_Job] = deque()
        # Parts of the catalogue, by their first rows, whose columns are not kept as they are now.
        self._stale = fill(self._records, catalog, self.text)

    @classmethod
    def open(cls, directory: Path | None, catalog: Catalog, *, shop: str = "default") -> Self:
        """Opens the store and fills ``catalog``, which must be empty and which only this store may change.

        Args:
            directory: Where ``catalog.db`` lies or shall lie; ``None`` to keep nothing beyond this process.
            catalog: The catalogue to fill.
            shop: Prefix of every key.

        Raises:
            ConfigError: The directory cannot be used, another process owns it, or SQLite is too old.
        """
        database = Database(directory, shop)
        try:
            return cls(database, catalog, shop)
        except BaseException:
            database.close()
            raise

    @property
    def revision(self) -> int:
        """Revision of the latest change."""
        return self.catalog.revision

    def upsert(self, items: Sequence[Item], mask: frozenset[str] | None, now: float) -> int:
        """Adds items or changes them; see `merged` for what is left as it is.

        Args:
            items: The items; with a mask, only its fields are read.
            mask: Keys of `vitrine.catalog.merge.MASKABLE`; ``None`` for all fields.
            now: Unix seconds UTC, the created time of new items that have none.

        Returns:
            A revision of the catalogue that holds them.

        Raises:
            InvalidInput: A mask was given for an item that does not exist; nothing was changed.
            Unavailable: It could not be stored; nothing was changed.
        """
        job = _Job(items, mask, now)
        self._jobs.append(job)
        # Whoever gets the lock commits for all who wait for it.
        with self._database.writing:
            while not job.done:
                self._commit([self._jobs.popleft() for _ in range(min(len(self._jobs), _JOBS_A_COMMIT))])
        if job.error is not None:
            raise job.error
        return job.revision

    def changed_since(self, revision: int, limit: int) -> Changes:
        """Items that changed after a revision, as they are now, in order of revision.

        At most ``limit`` of them, and fewer where they are so large that a message could not hold them.
        """
        found = self._records.changed_since(revision, limit + 1)
        items: list[Item] = []
        size = 0
        for _, data in found[:limit]:
            items.append(_decode(data))
            size += len(data)
            if size > _CHUNK_BYTES:
                break
        return Changes(items, found[len(items) - 1][0] if items else revision, len(found) == len(items))

    def save_state(self, name: str, cursor: int, data: bytes) -> None:
        """Keeps something derived beside the items, with how far in some log it goes.

        Raises:
            Unavailable: It could not be stored.
        """
        self._records.save_state(name, cursor, data)

    def load_state(self, name: str) -> tuple[int, bytes] | None:
        """What `save_state` kept: cursor and data."""
        return self._records.load_state(name)

    def keep(self, name: str, data: bytes) -> None:
        """Keeps something large that can be done without, as `Records.keep`.

        Raises:
            Unavailable: It could not be stored.
        """
        self._records.keep(name, data)

    def kept(self, name: str) -> memoryview | None:
        """What was kept under a name."""
        return self._records.kept(name)

    def close(self) -> None:
        """Keeps the columns for the next start and closes the file; the second time does nothing."""
        with self._database.writing:
            if self._stale and self._database.on_disk and not self._database.closed:
                try:
                    keep_parts(self._records, self.catalog, self.text, self._stale)
                except VitrineError as error:
                    _log.warning("the next start will take longer: %s", error)
            self._database.close()

    def _commit(self, jobs: list[_Job]) -> None:
        after: dict[str, Item] = {}

        def current(item_id: str) -> Item | None:
            return after.get(item_id) or self.catalog.get(item_id)

        for job in jobs:
            try:
                after.update(merged(job.items, job.mask, job.now, current))
            except VitrineError as error:
                job.error = error
        try:
            if after:
                self._write(list(after.values()))
        except VitrineError as error:
            for job in jobs:
                job.error = job.error or error
        finally:
            for job in jobs:
                job.revision, job.done = self.catalog.revision, True

    def _write(self, items: list[Item]) -> None:
        catalog, size, revision = self.catalog, len(self.catalog), self.catalog.revision
        rows = np.fromiter((catalog.row(i.item_id) for i in items), np.int32, len(items))
        fresh = rows < 0
        rows[fresh] = range(size, size + int(fresh.sum()))
        texts = {}
        records = []
        for k, (row, item) in enumerate(zip(rows.tolist(), items, strict=True), 1):
            old = catalog.item(row) if row < size else None
            if not same_text(old, item):
                texts[row] = (document(old), document(item))
            words = texts[row][1].length if row in texts else 0
            records.append((item.item_id, Record(row, words, revision + k, _encode(item))))
        self._records.write(records, {row: new for row, (_, new) in texts.items()}, size)
        self.text.update(texts)
        self._stale.update(row // PART * PART for row in rows.tolist())
        catalog.apply(items, revision + len(items), [r.data for _, r in records])
