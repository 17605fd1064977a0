"""Keeps popularity fed from the log of the same process, and kept over restarts."""

import logging
from threading import Event, Lock, Thread
from typing import Any, Protocol

from vitrine.catalog.store import CatalogStore
from vitrine.domain.events import Activity
from vitrine.errors import Unavailable
from vitrine.retrieval.popularity import Popularity

_log = logging.getLogger(__name__)
_CHUNK = 10_000
# Earlier versions, which could not read what is kept now, kept theirs under the second name.
_STATE, _EARLIER = "popularity of rows", "popularity"


class ActivityLog(Protocol):
    """What is needed of the profile store; `vitrine.profile.profiles.Profiles` has it."""

    @property
    def watermark(self) -> int:
        """Sequence number of the latest event."""
        ...

    def activity(self, after: int, limit: int, /) -> Activity:
        """Activity after a sequence number; its cursor is ``after`` when there is none."""
        ...

    def subscribe(self, listener: Any, /) -> None:
        """Calls ``listener`` with the activity of each commit, in order, before it is acknowledged."""
        ...

    def unsubscribe(self, listener: Any, /) -> None:
        """Undoes `subscribe`."""
        ...


class LocalActivity:
    """Feeds popularity from a log: first what it has not counted, then every commit before it is acknowledged."""

    def __init__(self, popularity: Popularity, log: ActivityLog) -> None:
        self._popularity = popularity
        self._activity = log
        self._waiting: list[Activity] | None = []
        self._lock = Lock()
        # Subscribed first: what is committed while the log is read waits, and counts once (`Popularity.cursor`).
        log.subscribe(self._on_commit)
        if popularity.cursor > log.watermark:
            _log.warning("the log of events is shorter than what popularity had counted; counting it anew")
            popularity.reset()
        self._catch_up()

    def close(self) -> None:
        """Stops feeding."""
        self._activity.unsubscribe(self._on_commit)

    def _catch_up(self) -> None:
        popularity = self._popularity
        while (activity := self._activity.activity(popularity.cursor, _CHUNK)).cursor > popularity.cursor:
            popularity.feed(activity)
        with self._lock:
            for activity in self._waiting or ():
                popularity.feed(activity)
            self._waiting = None

    def _on_commit(self, activity: Activity) -> None:
        with self._lock:
            if self._waiting is not None:
                self._waiting.append(activity)
                return
        self._popularity.feed(activity)


class PopularityKeeper:
    """Restores popularity from the store, and keeps a snapshot there every so often and at the end.

    After a crash, what came after the snapshot is counted again from the log: nothing is lost or counted twice.
    """

    def __init__(self, popularity: Popularity, store: CatalogStore, seconds: float = 30.0) -> None:
        self._popularity = popularity
        self._store = store
        self._seconds = seconds
        self._kept = 0
        self._stop = Event()
        kept = store.load_state(_STATE)
        state = kept or store.load_state(_EARLIER)
        if state is not None and not popularity.restore(*state):
            _log.info("half-lives of popularity changed; counting the log of events anew")
        # What an earlier version kept is kept anew, be there news or not.
        self._kept = -1 if kept is None and state is not None else popularity.cursor
        self._thread = Thread(target=self._run, name="popularity-keeper", daemon=True)
        self._thread.start()

    def save(self) -> None:
        """Keeps a snapshot now, unless nothing changed since the last one."""
        cursor, data = self._popularity.dump()
        if cursor != self._kept:
            self._store.save_state(_STATE, cursor, data)
            self._kept = cursor

    def close(self) -> None:
        """Keeps a last snapshot; call it before the store is closed."""
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            self._try_to_save()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self._try_to_save()

    def _try_to_save(self) -> None:
        try:
            self.save()
        except Unavailable as error:
            _log.warning("no snapshot of popularity: %s", error)
