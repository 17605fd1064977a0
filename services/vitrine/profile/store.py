"""The statements of the profile store. One thread writes, see `writer`."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias, TypeVar

import apsw
import msgspec

from vitrine.domain.events import Event

_T = TypeVar("_T")

# Keys or subjects asked for in one statement.
_CHUNK = 500

# The events of a subject, from the last one back.
_CHAIN = """
WITH RECURSIVE chain(seq, prev, event) AS (
  SELECT seq, prev, event FROM log WHERE seq = ?1 AND subject = ?2
  UNION ALL
  SELECT log.seq, log.prev, log.event FROM chain JOIN log ON log.seq = chain.prev AND log.subject = ?2
)
SELECT seq, event FROM chain
"""

encode_event = msgspec.msgpack.Encoder().encode
decode_event = msgspec.msgpack.Decoder(Event).decode


def event_key(shop: str, event_id: str) -> bytes:
    """16 bytes that stand for an event of a shop."""
    return blake2b(f"{shop}\0{event_id}".encode(), digest_size=16).digest()


def subject_hash(subject: str) -> bytes:
    """16 bytes that stand for an erased subject, as stored: ``SHOP/u:ID``."""
    return blake2b(subject.encode(), digest_size=16).digest()


# Sequence number; that of the subject's event before, 0 for the first; server time of recording, Unix seconds; subject
# as stored; encoded `Event`; number of what its item counts as, 0 for nothing.
LogRow: TypeAlias = tuple[int, int, float, str, bytes, int]


class Changes(NamedTuple):
    """What a transaction writes.

    Attributes:
        rows: Events.
        item_keys: Number and encoded `ItemKeys`, of those that were never written.
        keys: Keys of these events or earlier ones, in order.
        states: Subjects as stored and their encoded profiles.
        floors: Rows of `meta`.
    """

    rows: Sequence[LogRow]
    item_keys: Sequence[tuple[int, bytes]]
    keys: Sequence[bytes]
    states: Sequence[tuple[str, bytes]]
    floors: Sequence[tuple[str, int]]


class Store:
    """What the writer asks of the database."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self._execute = connection.execute

    def begin(self) -> None:
        """Starts a transaction."""
        self._execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Makes it durable."""
        self._execute("COMMIT")

    def rollback(self) -> None:
        """Undoes it, if SQLite has not."""
        if self.connection.in_transaction:
            self._execute("ROLLBACK")

    def last_seq(self) -> int:
        """The last sequence number ever given out."""
        newest: int = self._execute("SELECT ifnull(max(seq), 0) FROM log").get
        floor: int = self._execute("SELECT value FROM meta WHERE name = 'floor'").get
        return max(newest, floor)

    def tombstones(self) -> dict[bytes, float]:
        """Time of the erasure by `subject_hash`."""
        return dict(self._execute("SELECT subject, time FROM tombstones"))

    def known_keys(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of the keys that are stored."""
        known: set[bytes] = set()
        for chunk in _chunks(keys):
            holes = ",".join("?" * len(chunk))
            rows = self._execute(f"SELECT key FROM event_keys WHERE key IN ({holes})", chunk)  # noqa: S608
            known.update(key for (key,) in rows)
        return known

    def states(self, subjects: Sequence[str]) -> dict[str, bytes]:
        """The encoded profiles of those subjects that have one."""
        return dict(select_states(self.connection, subjects))

    def add(self, changes: Changes) -> None:
        """Writes what the fields say."""
        many = self.connection.executemany
        many("INSERT INTO item_keys VALUES (?, ?)", changes.item_keys)
        many("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", changes.rows)
        # After a crash nobody knows which of those that waited were written.
        many("INSERT OR IGNORE INTO event_keys VALUES (?)", [(key,) for key in changes.keys])
        many(
            "INSERT INTO profiles VALUES (?, ?) ON CONFLICT(subject) DO UPDATE SET state = excluded.state",
            changes.states,
        )
        many("UPDATE meta SET value = ?2 WHERE name = ?1", changes.floors)

    def meta(self, name: str) -> Any:
        """A value of the table of that name; ``None`` when there is none."""
        return self._execute("SELECT value FROM meta WHERE name = ?", (name,)).get

    def set_meta(self, name: str, value: int | str) -> None:
        """Sets it."""
        self._execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def item_keys(self, limit: int) -> Iterable[tuple[int, bytes]]:
        """Numbers and encoded `ItemKeys`, the latest first."""
        return self._execute("SELECT id, keys FROM item_keys ORDER BY id DESC LIMIT ?", (limit,))

    def item_keys_of(self, number: int) -> bytes:
        """One of them; nothing when there is none, which no decoder takes."""
        keys: bytes | None = self._execute("SELECT keys FROM item_keys WHERE id = ?", (number,)).get
        return keys or b""

    def log_after(self, seq: int) -> Iterable[tuple[int, str, bytes, int]]:
        """Sequence number, subject, encoded event and number of its keys, of the log after a sequence number."""
        return self._execute("SELECT seq, subject, event, keys FROM log WHERE seq > ? ORDER BY seq", (seq,))

    def erase(self, subject: str, version: int, time: float, last_seq: int) -> list[bytes]:
        """Deletes everything of a subject but a hash and the time.

        Args:
            subject: As stored.
            version: Sequence number of its last event; 0 when it has none.
            time: Of the erasure.
            last_seq: Last sequence number given out.

        Returns:
            The keys of the events that were deleted.
        """
        shop = subject.partition("/")[0]
        rows: list[Any] = self._execute(_CHAIN, (version, subject)).fetchall()
        many = self.connection.executemany
        keys = [event_key(shop, decode_event(row[1]).event_id) for row in rows]
        many("DELETE FROM event_keys WHERE key = ?", [(key,) for key in keys])
        many("DELETE FROM log WHERE seq = ?", [(row[0],) for row in rows])
        self._execute("DELETE FROM profiles WHERE subject = ?", (subject,))
        self._execute(
            "INSERT INTO tombstones VALUES (?, ?) ON CONFLICT(subject) DO UPDATE SET time = max(time, excluded.time)",
            (subject_hash(subject), time),
        )
        # Sequence numbers are never used twice, even when the last rows of the log are gone.
        self._execute("UPDATE meta SET value = ? WHERE name = 'floor'", (last_seq,))
        return keys

    def truncate_wal(self) -> bool:
        """Moves the write-ahead log into the database and empties it; false while a reader is in the way."""
        try:
            self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.BusyError:
            return False
        return True


def select_states(connection: apsw.Connection, subjects: Sequence[str]) -> Iterable[tuple[str, bytes]]:
    """(subject, encoded profile) of those subjects that have one."""
    for chunk in _chunks(subjects):
        holes = ",".join("?" * len(chunk))
        query = f"SELECT subject, state FROM profiles WHERE subject IN ({holes})"  # noqa: S608
        yield from connection.execute(query, chunk)


def _chunks(values: Sequence[_T]) -> Iterable[Sequence[_T]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
