"""The statements of the profile store. One thread writes, see `writer`."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias, TypeVar

import apsw
import msgspec

from vitrine.domain.events import Event
from vitrine.profile.logged import event_id_of

_T = TypeVar("_T")

# Rows of `meta`. Up to the last of these events, the log does not tell what their items counted as.
PROFILES_FLOOR, KEYS_FLOOR, COUNTED_FLOOR = "profiles_floor", "keys_floor", "counted_floor"
# Keys or subjects asked for in one statement.
_CHUNK = 500

# The events of a subject, from the last one back.
_CHAIN = """
WITH RECURSIVE chain(seq, prev, event) AS (
  SELECT seq, prev, event FROM log WHERE seq = ?1 AND subject = ?2
  UNION ALL
  SELECT log.seq, log.prev, log.event FROM chain JOIN log ON log.seq = chain.prev AND log.subject = ?2
)
SELECT seq, CAST(event AS BLOB) FROM chain
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
        expired: Below this number, `ItemKeys` are forgotten.
    """

    rows: Sequence[LogRow]
    item_keys: Sequence[tuple[int, bytes]]
    keys: Sequence[bytes]
    states: Sequence[tuple[str, bytes]]
    floors: Sequence[tuple[str, int]]
    expired: int = 0


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
        # In order, as SQLite looks them up.
        for chunk in _chunks(sorted(keys)):
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
        if changes.expired:
            self._execute("DELETE FROM item_keys WHERE id < ?", (changes.expired,))

    def meta(self, name: str) -> Any:
        """A value of the table of that name; ``None`` when there is none."""
        return meta(self.connection, name)

    def set_meta(self, name: str, value: int | str) -> None:
        """Sets it."""
        self._execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def item_keys(self, limit: int) -> Iterable[tuple[int, bytes]]:
        """Numbers and encoded `ItemKeys`, the latest first."""
        return self._execute("SELECT id, keys FROM item_keys ORDER BY id DESC LIMIT ?", (limit,))

    def first_item_keys(self) -> int:
        """The least of these numbers; 0 when there is none."""
        first: int = self._execute("SELECT ifnull(min(id), 0) FROM item_keys").get
        return first

    def first_needed_keys(self) -> int:
        """The least number that a restart would ask for; 0 when it would ask for none."""
        query = "SELECT ifnull(min(keys), 0) FROM log WHERE keys > 0 AND seq > ?"
        first: int = self._execute(query, (self.meta(PROFILES_FLOOR),)).get
        return first

    def log_after(self, seq: int) -> Iterable[tuple[int, str, bytes, int]]:
        """Sequence number, subject, encoded event and number of its keys, of the log after a sequence number."""
        columns = "seq, subject, CAST(event AS BLOB), keys"
        return self._execute(f"SELECT {columns} FROM log WHERE seq > ? ORDER BY seq", (seq,))  # noqa: S608

    def erase(
        self, subject: str, version: int, events: int, time: float, last_seq: int
    ) -> tuple[int, list[bytes]]:
        """Deletes everything of a subject but a hash and the time.

        Args:
            subject: As stored.
            version: Sequence number of its last event; 0 when it has none.
            events: How many the profile has. When that many do not follow from the last one, the whole log is searched.
            time: Of the erasure.
            last_seq: Last sequence number given out.

        Returns:
            How many events were deleted, and their keys.
        """
        shop = subject.partition("/")[0]
        rows: list[Any] = self._execute(_CHAIN, (version, subject)).fetchall()
        if len(rows) != events:
            rows = [row[1:] for row in select_events(self.connection, [subject])]
        many = self.connection.executemany
        names = [name for row in rows if (name := event_id_of(row[1])) is not None]
        keys = [event_key(shop, name) for name in names]
        many("DELETE FROM event_keys WHERE key = ?", [(key,) for key in keys])
        many("DELETE FROM log WHERE seq = ?", [(row[0],) for row in rows])
        self._execute("DELETE FROM profiles WHERE subject = ?", (subject,))
        self._execute(
            "INSERT INTO tombstones VALUES (?, ?) ON CONFLICT(subject) DO UPDATE SET time = max(time, excluded.time)",
            (subject_hash(subject), time),
        )
        # Sequence numbers are never used twice, even when the last rows of the log are gone.
        self._execute("UPDATE meta SET value = ? WHERE name = 'floor'", (last_seq,))
        return len(rows), keys

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
        # Where damage has made text of bytes, or nothing, that is for whoever decodes this one, not for all.
        query = f"SELECT subject, ifnull(CAST(state AS BLOB), x'') FROM profiles WHERE subject IN ({holes})"  # noqa: S608
        yield from connection.execute(query, chunk)


def select_events(
    connection: apsw.Connection, subjects: Sequence[str]
) -> Iterable[tuple[str, int, bytes, int]]:
    """Subject, sequence number, encoded event and number of its keys, of all events of subjects; reads the whole log."""
    for chunk in _chunks(subjects):
        holes = ",".join("?" * len(chunk))
        columns = "subject, seq, CAST(event AS BLOB), keys"
        query = f"SELECT {columns} FROM log WHERE subject IN ({holes}) ORDER BY seq"  # noqa: S608
        yield from connection.execute(query, chunk)


def item_keys_of(connection: apsw.Connection, number: int) -> bytes:
    """The encoded `ItemKeys` of a number; nothing when there are none, which no decoder takes."""
    keys: bytes | None = connection.execute("SELECT keys FROM item_keys WHERE id = ?", (number,)).get
    return keys or b""


def meta(connection: apsw.Connection, name: str) -> Any:
    """A value of the table of that name; ``None`` when there is none."""
    return connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).get


def _chunks(values: Sequence[_T]) -> Iterable[Sequence[_T]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
