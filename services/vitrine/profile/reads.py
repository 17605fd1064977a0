"""Reading the store beside the writer: a connection of its own for each thread."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, local
from typing import Any

import apsw
import msgspec
import numpy as np

from vitrine.domain.events import Activity
from vitrine.errors import Unavailable
from vitrine.profile.schema import connect_reader
from vitrine.profile.store import select_states


class _Row(msgspec.Struct, array_like=True, gc=False):
    """The first fields of an `Event`, without building the rest."""

    event_id: msgspec.Raw
    subject: msgspec.Raw
    item_id: str
    type: int
    time: float
    value_micros: int
    currency: msgspec.Raw
    quantity: float


_decode = msgspec.msgpack.Decoder(_Row).decode


class Readers:
    """Answers what is committed."""

    def __init__(self, file: Path, vfs: str | None = None) -> None:
        self._file = file
        self._vfs = vfs
        self._local = local()
        self._open: list[apsw.Connection] = []
        self._lock = Lock()
        self._closed = False

    def states(self, subjects: Sequence[str]) -> dict[str, bytes]:
        """The encoded profiles of those subjects (as stored) that have one."""
        try:
            return dict(select_states(self._connection(), subjects))
        except apsw.Error:
            raise Unavailable("the profile store cannot be read; try again") from None

    def activity(self, shop: str, after: int, limit: int) -> Activity:
        """Events on items recorded after a sequence number, at most ``limit`` rows of the log."""
        # "0" follows "/" in the alphabet: every subject of the shop lies between.
        query = (
            "SELECT seq, event FROM log WHERE seq > ? AND +subject >= ? AND +subject < ? ORDER BY seq LIMIT ?"
        )
        try:
            rows: list[Any] = (
                self._connection().execute(query, (after, f"{shop}/", f"{shop}0", limit)).fetchall()
            )
        except apsw.Error:
            raise Unavailable("the profile store cannot be read; try again") from None
        if not rows:
            return _activity((), after)
        return _activity([_decode(event) for _, event in rows], rows[-1][0])

    def close(self) -> None:
        """Closes every connection; no thread may be reading."""
        with self._lock:
            self._closed = True
            for connection in self._open:
                with suppress(apsw.Error):
                    connection.close()
            self._open.clear()

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._closed:
            with self._lock:
                if self._closed:
                    raise Unavailable("the profile store is shut down")
                connection = self._local.connection = connect_reader(self._file, self._vfs)
                self._open.append(connection)
        return connection


def _activity(rows: Iterable[_Row], cursor: int) -> Activity:
    rows = [row for row in rows if row.item_id]
    return Activity(
        [row.item_id for row in rows],
        np.array([row.type for row in rows], np.int8),
        np.array([row.time for row in rows], np.float64),
        np.array([row.quantity for row in rows], np.float64),
        cursor,
    )
