"""The statements of the catalogue's store: items, their words, and derived state, all of one shop."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast
from urllib.parse import quote

import apsw
import numpy as np
import numpy.typing as npt

from vitrine.catalog.beside import read, write
from vitrine.catalog.database import Database
from vitrine.catalog.documents import FIELD_WEIGHTS, Document
from vitrine.errors import Unavailable

# Begins the name of what `Records.keep` keeps, and the name of when that was right.
_KEPT, _KEPT_UNTIL = "rows from ", "rows kept"
_WEIGHT = " ".join(f"WHEN '{name}' THEN {weight}" for name, weight in FIELD_WEIGHTS.items())


class Record(NamedTuple):
    """One item as it is stored: its row in the catalogue, its words counted, and the item as MessagePack."""

    number: int
    words: int
    revision: int
    data: bytes


class Records:
    """Reads and writes one shop's rows. The number of an item is its row in the `Catalog` of this store."""

    def __init__(self, database: Database, shop: str) -> None:
        self._database = database
        self._shop = shop

    @contextmanager
    def unchanging(self) -> Iterator[None]:
        """Everything that is read for the start meanwhile is as of one moment."""
        with self._database.writing:
            connection = self._database.writer
            connection.execute("BEGIN")
            try:
                yield
            finally:
                connection.execute("COMMIT")

    def revision(self) -> int:
        """The latest revision of an item; 0 where there is none."""
        run = self._database.writer.execute
        return run("SELECT max(revision) FROM items WHERE shop = ?", (self._shop,)).get or 0

    def count(self) -> int:
        """How many items there are: one more than the highest number."""
        run = self._database.writer.execute
        return run("SELECT max(number) + 1 FROM items WHERE shop = ?", (self._shop,)).get or 0

    def between(self, start: int, end: int) -> list[Record]:
        """The items numbered ``start`` to ``end``, in order."""
        rows = self._database.writer.execute(
            "SELECT number, words, revision, data FROM items WHERE shop = ? AND number >= ? AND number < ? ORDER BY number",
            (self._shop, start, end),
        )
        return [Record(*row) for row in cast("list[tuple[int, int, int, bytes]]", rows.fetchall())]

    def changed_since_kept(self, part: int) -> set[int]:
        """The first number of each part, of so many numbers, with an item that has changed since parts were kept."""
        run = self._database.writer.execute
        kept = run("SELECT cursor FROM state WHERE shop = ? AND name = ?", (self._shop, _KEPT_UNTIL)).get
        rows = run(
            "SELECT DISTINCT number / ? FROM items WHERE shop = ? AND revision > ?",
            (part, self._shop, -1 if kept is None else kept),
        )
        return {number * part for (number,) in rows}

    def write(self, items: Sequence[tuple[str, Record]], texts: Mapping[int, Document], known: int) -> None:
        """Writes items, by identifier, in one transaction; on disk when it returns.

        Args:
            items: Identifiers and records; ``words`` counts where the number is in ``texts``.
            texts: The words to index, by number.
            known: Items with lower numbers exist.

        Raises:
            Unavailable: It could not be stored; nothing was changed.
        """
        shop, text = self._shop, self._database.text
        new = [(shop, r.number, i, r.revision, r.words, r.data) for i, r in items if r.number >= known]
        old = [(r.revision, r.data, shop, r.number) for _, r in items if r.number < known]
        counts = [(d.length, shop, number) for number, d in texts.items() if number < known]
        gone = [(number,) for number in texts if number < known]

        def change(connection: apsw.Connection) -> None:
            many = connection.executemany
            many("INSERT INTO items(shop, number, item_id, revision, words, data) VALUES (?,?,?,?,?,?)", new)
            many("UPDATE items SET revision = ?, data = ? WHERE shop = ? AND number = ?", old)
            many("UPDATE items SET words = ? WHERE shop = ? AND number = ?", counts)
            many(f"DELETE FROM {text} WHERE rowid = ?", gone)  # noqa: S608 (the name of our own table)
            many(
                f"INSERT INTO {text}(rowid, title, about, description) VALUES (?,?,?,?)",  # noqa: S608
                [(number, *d.columns) for number, d in texts.items()],
            )

        self._transact(change)

    def changed_since(self, revision: int, limit: int) -> list[tuple[int, bytes]]:
        """Revisions and items after a revision, in order."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT revision, data FROM items WHERE shop = ? AND revision > ? ORDER BY revision LIMIT ?",
                (self._shop, revision, limit),
            ).fetchall()
        return cast("list[tuple[int, bytes]]", found)

    def postings(self, word: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """``int32[k]`` numbers of the items with a word, ascending, and ``float32[k]`` how much it counts there."""
        with self._database.reading() as connection:
            found = connection.execute(
                f"SELECT doc, sum(CASE col {_WEIGHT} END) FROM words WHERE term = ? GROUP BY doc ORDER BY doc",  # noqa: S608
                (word,),
            ).fetchall()
        table = np.array(found, np.float64).reshape(-1, 2)
        return table[:, 0].astype(np.int32), table[:, 1].astype(np.float32)

    def save_state(self, name: str, cursor: int, data: bytes) -> None:
        """Keeps something derived, with how far in some log it goes."""
        row = (self._shop, name, cursor, data)
        self._transact(
            lambda connection: connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?)", row)
        )

    def keep(self, name: str, data: bytes) -> None:
        """Keeps something large that can be done without, in a file beside; nothing where all is in memory.

        Raises:
            Unavailable: It could not be stored.
        """
        if (directory := self._database.directory) is not None:
            try:
                digest = write(directory, quote(f"{self._shop} {name}"), data)
            except OSError as error:
                raise Unavailable(f"{directory}: cannot be written to ({error.strerror})") from error
            self.save_state(name, 0, digest)

    def kept(self, name: str, *, mapped: bool = True) -> memoryview | None:
        """What `keep` kept; ``mapped`` as for `vitrine.catalog.beside.read`."""
        directory, state = self._database.directory, self.load_state(name)
        if directory is None or state is None:
            return None
        return read(directory, quote(f"{self._shop} {name}"), state[1], mapped=mapped)

    def keep_part(self, start: int, part: bytes) -> None:
        """Keeps what was made of items, by the number of the first of them; as `keep`."""
        self.keep(f"{_KEPT}{start}", part)

    def kept_part(self, start: int, *, mapped: bool = True) -> memoryview | None:
        """What was kept of the items from a number on; ``mapped`` likewise."""
        return self.kept(f"{_KEPT}{start}", mapped=mapped)

    def kept_until(self, revision: int) -> None:
        """What is kept now is right for all items, at a revision of the catalogue."""
        self.save_state(_KEPT_UNTIL, revision, b"")

    def load_state(self, name: str) -> tuple[int, bytes] | None:
        """What `save_state` kept: cursor and data."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT cursor, data FROM state WHERE shop = ? AND name = ?", (self._shop, name)
            ).fetchone()
        return None if found is None else (found[0], found[1])

    def _transact(self, change: Callable[[apsw.Connection], Any]) -> None:
        with self._database.writing:
            if self._database.closed:
                raise Unavailable("the catalogue is closed: the server is stopping")
            writer = self._database.writer
            try:
                writer.execute("BEGIN IMMEDIATE")
                change(writer)
                writer.execute("COMMIT")
            except BaseException as error:
                # A full disk ends the transaction by itself.
                if writer.in_transaction:
                    writer.execute("ROLLBACK")
                if not isinstance(error, _DISK_ERRORS):
                    raise
                raise Unavailable(
                    f"the catalogue could not be stored ({type(error).__name__}): check the disk of the store "
                    "directory, then send the items again"
                ) from error


_DISK_ERRORS = (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.BusyError, apsw.CantOpenError)
