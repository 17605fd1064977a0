"""The tables of the profile store and how a connection to them is set up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from vitrine.decoding import UNREADABLE
from vitrine.errors import ConfigError

SCHEMA_VERSION = 2
# "Vitr" in ASCII: tells the file apart from other SQLite databases.
APPLICATION_ID = 0x56697472
# Up to 3.51.2, two connections can corrupt a write-ahead log when it is reset.
MINIMUM_SQLITE = (3, 51, 3)

# Subjects are stored as "SHOP/u:ID". A key is a hash of shop and event id, and stands for as long as its event
# in `log`: a history may be loaded again years later. Nothing refers to a shopper but `profiles` and `log`; `tombstones`
# holds hashes of erased ones. The events of a subject are chained: `prev` is the one before. An index by subject would
# cost a quarter of the writing speed and is needed for erasing only.
#
# The log is the truth. Profiles and keys may lag behind it: what they lack are events after `profiles_floor` and
# `keys_floor`, which a restart reads. A profile's version tells the last event in it. `item_keys` holds what the items
# of events counted as when they were recorded (`log.keys`, 0 for nothing), and `rules` how they were counted: what is
# counted later comes out the same to the last bit. Up to `counted_floor`, `log.keys` was not written.
_TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE profiles(subject TEXT PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE log(
  seq INTEGER PRIMARY KEY, prev INTEGER NOT NULL, recorded REAL NOT NULL, subject TEXT NOT NULL, event BLOB NOT NULL,
  keys INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE item_keys(id INTEGER PRIMARY KEY, keys BLOB NOT NULL);
CREATE TABLE event_keys(key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE tombstones(subject BLOB PRIMARY KEY, time REAL NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('floor', 0), ('profiles_floor', 0), ('keys_floor', 0);
"""

# What older stores lack, by the version that they have.
_MIGRATIONS = {
    # Every event was in its profile and in the table of keys.
    1: """
ALTER TABLE log ADD COLUMN keys INTEGER NOT NULL DEFAULT 0;
CREATE TABLE item_keys(id INTEGER PRIMARY KEY, keys BLOB NOT NULL);
INSERT INTO meta SELECT 'profiles_floor', max(ifnull((SELECT max(seq) FROM log), 0), value) FROM meta WHERE name = 'floor';
INSERT INTO meta SELECT 'keys_floor', value FROM meta WHERE name = 'profiles_floor';
INSERT INTO meta SELECT 'counted_floor', value FROM meta WHERE name = 'profiles_floor';
"""
}


def check_sqlite() -> None:
    """Refuses a SQLite that can lose data.

    Raises:
        ConfigError: It is older than 3.51.3.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < MINIMUM_SQLITE:
        wanted = ".".join(map(str, MINIMUM_SQLITE))
        raise ConfigError(
            f"SQLite {apsw.sqlite_lib_version()} can corrupt the store; install an apsw with {wanted} or newer"
        )


def connect_writer(file: Path, vfs: str | None = None) -> apsw.Connection:
    """The one connection that writes; makes the tables when there are none.

    Raises:
        ConfigError: The file is no profile store, or one of a newer version, or cannot be opened.
    """
    check_sqlite()
    with opening(file):
        connection = apsw.Connection(str(file), vfs=vfs, statementcachesize=256)
        connection.set_busy_timeout(10_000)
        connection.pragma("journal_mode", "wal")
        # An acknowledgement is a promise: every commit is synced.
        connection.pragma("synchronous", "full")
        # What is erased is overwritten.
        connection.pragma("secure_delete", "on")
        connection.pragma("temp_store", "memory")
        connection.pragma("cache_size", -65_536)
        connection.pragma("wal_autocheckpoint", 8_000)
        _ensure_tables(connection, file)
        # Whatever an erasure that was cut short left in the log of an earlier process.
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return connection


@contextmanager
def opening(file: Path) -> Iterator[None]:
    """Tells what is wrong with the file of a store that is being opened.

    Raises:
        ConfigError: It is no database, is damaged or in use, or cannot be opened or written.
    """
    try:
        yield
    except apsw.NotADBError:
        raise ConfigError(f"{file} is not a profile store; choose another --store") from None
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError):
        raise ConfigError(f"{file} cannot be opened for writing; check its permissions") from None
    except apsw.BusyError:
        raise ConfigError(f"{file} is in use by another program; close that one") from None
    except (apsw.IOError, apsw.FullError) as error:
        raise ConfigError(f"{file} cannot be written: {error}; free space on its disk") from None
    except (apsw.CorruptError, *UNREADABLE):
        raise ConfigError(f"{file} is damaged; restore it from a backup") from None


def connect_reader(file: Path, vfs: str | None = None) -> apsw.Connection:
    """A connection that only reads."""
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
    connection.set_busy_timeout(10_000)
    connection.pragma("query_only", "on")
    return connection


def _ensure_tables(connection: apsw.Connection, file: Path) -> None:
    version = connection.pragma("user_version")
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
        with connection:
            connection.execute(_TABLES)
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", SCHEMA_VERSION)
    elif connection.pragma("application_id") != APPLICATION_ID:
        raise ConfigError(f"{file} is another program's database; choose another --store")
    elif version > SCHEMA_VERSION:
        raise ConfigError(f"{file} was written by a newer version; upgrade this server")
    else:
        for older in range(version, SCHEMA_VERSION):
            with connection:
                connection.execute(_MIGRATIONS[older])
                connection.pragma("user_version", older + 1)
