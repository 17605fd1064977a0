"""Reading the store beside the writer: a connection of its own for each thread."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, local
from typing import Any

import apsw
import numpy as np

from vitrine.domain.events import Activity
from vitrine.errors import Unavailable
from vitrine.profile.book import ItemLookup
from vitrine.profile.logged import Logged, read_logged
from vitrine.profile.mending import rebuilt
from vitrine.profile.rules import Rules
from vitrine.profile.schema import connect_reader
from vitrine.profile.state import ProfileState
from vitrine.profile.store import select_states

log = logging.getLogger(__name__)


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

    def rebuilt(self, subjects: Sequence[str], rules: Rules, lookup: ItemLookup) -> dict[str, ProfileState]:
        """See `mending.rebuilt`.

        Raises:
            Unavailable: The store cannot be read.
        """
        try:
            return rebuilt(self._connection(), subjects, rules, lookup)
        except apsw.Error:
            raise Unavailable("the profile store cannot be read; try again") from None

    def activity(self, shop: str, after: int, limit: int) -> Activity:
        """Events on items recorded after a sequence number, at most ``limit`` rows of the log."""
        # "0" follows "/" in the alphabet: every subject of the shop lies between.
        query = (
            "SELECT seq, CAST(event AS BLOB) FROM log "
            "WHERE seq > ? AND +subject >= ? AND +subject < ? ORDER BY seq LIMIT ?"
        )
        try:
            rows: list[Any] = (
                self._connection().execute(query, (after, f"{shop}/", f"{shop}0", limit)).fetchall()
            )
        except apsw.Error:
            raise Unavailable("the profile store cannot be read; try again") from None
        events = [read_logged(event) for _, event in rows]
        if lost := events.count(None):
            log.error("%d events of the log cannot be read and count for no item; look after the disk", lost)
        return _activity(
            [event for event in events if event is not None and event.item_id], rows[-1][0] if rows else after
        )

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


def _activity(events: Sequence[Logged], cursor: int) -> Activity:
    return Activity(
        [event.item_id for event in events],
        np.array([event.type for event in events], np.int8),
        np.array([event.time for event in events], np.float64),
        np.array([event.quantity for event in events], np.float64),
        cursor,
    )
