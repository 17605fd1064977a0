"""The SQLite file of the catalogue: schema, settings, connections, and the lock against a second owner."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from vitrine.errors import ConfigError, Unavailable

FILE = "catalog.db"
SCHEMA_VERSION = 1
# Before this, two connections could corrupt a write-ahead log when it was reset (sqlite.org/wal.html#walresetbug).
_OLDEST_SQLITE = (3, 51, 3)

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS items(
    shop TEXT NOT NULL, number INTEGER NOT NULL, item_id TEXT NOT NULL, revision INTEGER NOT NULL,
    words INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (shop, number), UNIQUE (shop, item_id)
);
CREATE INDEX IF NOT EXISTS items_by_revision ON items(shop, revision);
CREATE TABLE IF NOT EXISTS state(
    shop TEXT NOT NULL, name TEXT NOT NULL, cursor INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (shop, name)
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""


class Database:
    """One writing connection, and one for each reading thread; a single one when everything is in memory.

    Args:
        directory: Where the file lies; ``None`` for one in memory.
        shop: Whose words are searched.
        owner: Whether it may write; who may not reads beside the process that does.
    """

    def __init__(self, directory: Path | None, shop: str, *, owner: bool = True) -> None:
        _check_sqlite()
        self._path = None if directory is None else directory / FILE
        self._lock_file = None if directory is None or not owner else _own(directory)
        # `writing` is held while the writer works; in memory, while anyone does.
        self.writing = threading.RLock()
        self._local = threading.local()
        self._readers: list[apsw.Connection] = []
        self.closed = False
        self._text = f"text_{shop}"
        self.writer = self._connect(":memory:" if self._path is None else str(self._path), readonly=not owner)
        try:
            if owner:
                self._prepare(directory)
            else:
                self._attach_words(self.writer)
        except BaseException as error:
            self.writer.close()
            self._release()
            if isinstance(error, (apsw.NotADBError, apsw.CorruptError)):
                raise ConfigError(
                    f"{self._path}: is not a catalogue or is damaged; restore it from a copy, or use a new store "
                    "directory and load it again"
                ) from None
            raise

    def _connect(self, name: str, *, readonly: bool = False) -> apsw.Connection:
        flags = (
            apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        )
        connection = apsw.Connection(name, flags=flags)
        connection.set_busy_timeout(5000)
        return connection

    def _prepare(self, directory: Path | None) -> None:
        run = self.writer.execute
        if directory is not None:
            run("PRAGMA journal_mode = WAL")
            run("PRAGMA synchronous = FULL")
            run("PRAGMA journal_size_limit = 67108864")
        version = run("PRAGMA user_version").get
        if version not in {0, SCHEMA_VERSION}:
            raise ConfigError(
                f"{self._path}: written by another version of Vitrine (schema {version}, this one reads "
                f"{SCHEMA_VERSION}); use a new store directory and load it again"
            )
        run(_SCHEMA)
        # The text goes in as words that are split at spaces alone: the "ascii" tokenizer takes every character
        # beyond ASCII for a letter. Contentless: the words themselves are kept once, in `items`.
        run(
            f'CREATE VIRTUAL TABLE IF NOT EXISTS "{self._text}" USING fts5('
            "title, about, description, content='', contentless_delete=1, tokenize='ascii')"
        )
        self._attach_words(self.writer)
        if directory is not None:
            _sync_names(directory)

    def _attach_words(self, connection: apsw.Connection) -> None:
        connection.execute(
            f"CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', '{self._text}', 'instance')"
        )

    @property
    def on_disk(self) -> bool:
        """Whether what is written outlives this process."""
        return self._path is not None

    @property
    def directory(self) -> Path | None:
        """Where the file lies; nothing for one in memory."""
        return None if self._path is None else self._path.parent

    @property
    def text(self) -> str:
        """The full-text table of the shop, quoted."""
        return f'"{self._text}"'

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection for this thread to read with."""
        if self.closed:
            raise Unavailable("the catalogue is closed: the server is stopping")
        if self._path is None:
            with self.writing:
                yield self.writer
            return
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # The temporary vocabulary table needs no write access to the file.
            connection = self._connect(str(self._path), readonly=True)
            self._attach_words(connection)
            self._local.connection = connection
            self._readers.append(connection)
        yield connection

    def close(self) -> None:
        """Closes the file and gives up the lock; the second time does nothing."""
        with self.writing:
            if not self.closed:
                self.closed = True
                for connection in self._readers:
                    connection.close()
                self.writer.close()
                self._release()

    def _release(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None


def _check_sqlite() -> None:
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < _OLDEST_SQLITE:
        raise ConfigError(
            f"SQLite {apsw.sqlite_lib_version()} can damage the store; install apsw 3.51.3 or newer "
            "(pip install -U apsw)"
        )


def _own(directory: Path) -> int:
    try:
        missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            _sync_names(folder.parent)
        lock = os.open(directory / "catalog.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"{directory}: cannot be used as a store directory: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise ConfigError(
            f"{directory}: another process has this catalogue open; stop it, send the items to it over gRPC, "
            "or use another store directory"
        ) from None
    return lock


def _sync_names(directory: Path) -> None:
    """Makes the names of new files in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
