"""The statements of the profile store. One thread writes, see `writer`."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

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


class LogRow(NamedTuple):
    """A row of the log.

    Attributes:
        seq: Sequence number.
        prev: That of the subject's event before; 0 for the first.
        recorded: Server time, Unix seconds.
        subject: As stored.
        event: Encoded `Event`.
    """

    seq: int
    prev: int
    recorded: float
    subject: str
    event: bytes


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

    def add(self, rows: Sequence[LogRow], keys: Iterable[bytes], states: Iterable[tuple[str, bytes]]) -> None:
        """Writes events, their keys and the profiles they changed."""
        many = self.connection.executemany
        many("INSERT INTO log VALUES (?, ?, ?, ?, ?)", rows)
        # In order, so that neighbours in the tree are touched together.
        many("INSERT INTO event_keys VALUES (?)", [(key,) for key in sorted(keys)])
        many(
            "INSERT INTO profiles VALUES (?, ?) ON CONFLICT(subject) DO UPDATE SET state = excluded.state",
            states,
        )

    def erase(self, subject: str, version: int, time: float, last_seq: int) -> int:
        """Deletes everything of a subject but a hash and the time.

        Args:
            subject: As stored.
            version: Sequence number of its last event; 0 when it has none.
            time: Of the erasure.
            last_seq: Last sequence number given out.

        Returns:
            How many events were deleted.
        """
        shop = subject.partition("/")[0]
        rows: list[Any] = self._execute(_CHAIN, (version, subject)).fetchall()
        many = self.connection.executemany
        many(
            "DELETE FROM event_keys WHERE key = ?",
            [(event_key(shop, decode_event(row[1]).event_id),) for row in rows],
        )
        many("DELETE FROM log WHERE seq = ?", [(row[0],) for row in rows])
        self._execute("DELETE FROM profiles WHERE subject = ?", (subject,))
        self._execute(
            "INSERT INTO tombstones VALUES (?, ?) ON CONFLICT(subject) DO UPDATE SET time = max(time, excluded.time)",
            (subject_hash(subject), time),
        )
        # Sequence numbers are never used twice, even when the last rows of the log are gone.
        self._execute("UPDATE meta SET value = ? WHERE name = 'floor'", (last_seq,))
        return len(rows)

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
