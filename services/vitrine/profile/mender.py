"""When the writing thread reads the log for damaged profiles, which takes as long for one as for many."""

import logging
import time
from collections.abc import Sequence

import apsw

from vitrine.profile.book import ItemLookup
from vitrine.profile.damage import LogDamaged
from vitrine.profile.lag import Lag
from vitrine.profile.mending import rebuilt
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState
from vitrine.profile.store import Store

log = logging.getLogger(__name__)

# After a reading of the log it rests for so many times as long, unless that was a short one: however many profiles are
# damaged, those who record wait for them a tenth of the time at most.
REST = 9.0
SHORT_SECONDS = 0.05


class Mender:
    """Counts damaged profiles again; those that are found while it rests stay marked, and wait for the next time."""

    def __init__(self, lag: Lag, lookup: ItemLookup) -> None:
        self._lag = lag
        self._lookup = lookup
        self._rests_until = 0.0

    def ready(self) -> bool:
        """Whether it does not rest."""
        return time.monotonic() >= self._rests_until

    def rebuilt(self, store: Store, subjects: Sequence[str], rules: Rules) -> dict[str, ProfileState]:
        """See `mending.rebuilt`; without those that were set aside.

        Raises:
            LogDamaged: They are set aside now, for the log is damaged, too. The transaction has to begin anew: SQLite
                writes nothing more in one that has come across this.
        """
        if not (wanted := self._lag.not_aside(subjects)):
            return {}
        began = time.monotonic()
        try:
            return rebuilt(store.connection, wanted, rules, self._lookup)
        except apsw.CorruptError as error:
            log.exception(
                "%d stored profiles cannot be read, nor can the log; what comes is recorded and they are not answered: "
                "restore the store from a backup",
                len(wanted),
            )
            self._lag.set_aside(wanted)
            raise LogDamaged("the profile store is damaged; restore it from a backup") from error
        finally:
            # In vain or not: the next one may be as long.
            ended = time.monotonic()
            if ended - began > SHORT_SECONDS:
                self._rests_until = ended + REST * (ended - began)
