"""Events that are in the log and not yet in the profiles on disk.

A profile of some kB is not written at every event: its events lie in the log anyway, with all that counting them takes,
and what is on disk may lag behind. It is brought up to date after `MAX_ROWS` events, or when too many events of all
shoppers wait (ARIES, Mohan et al. 1992: fuzzy checkpoints and the oldest sequence number that a restart has to read).
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from threading import Lock

from vitrine.profile.encoding import decode_state
from vitrine.profile.rows import Row
from vitrine.profile.rules import Rules
from vitrine.profile.state import ProfileState

# Events of one shopper that wait at most: counting them takes a reader less than half a millisecond.
MAX_ROWS = 32
# Events of all shoppers that wait at most: some 40 MB, and a second of reading the log after a crash.
MAX_WAITING = 200_000
# Damaged profiles that are counted again and written at once.
MAX_MENDED = 500
# The oldest of them lies at most so many times `MAX_WAITING` events back, or the few events of quiet shoppers would make
# a restart read all that busy ones did since.
_MAX_SPAN = 2


class Lag:
    """The events that wait, by subject as stored. One thread writes, any may read."""

    def __init__(self, max_rows: int, max_waiting: int) -> None:
        """Empty; ``max_rows`` of a shopper and ``max_waiting`` of all may wait, a batch more or less."""
        self._max_rows = max_rows
        self._max_waiting = max_waiting
        # In the order of the first event that waits: all of a subject's leave together. What came first leaves first, and
        # a plain dictionary would step over all that left before it.
        self._rows: OrderedDict[str, list[Row]] = OrderedDict()
        self._waiting = 0
        self._full: dict[str, None] = {}
        # Whose profiles on disk are damaged.
        self._marked: dict[str, None] = {}
        # Those of them that cannot be counted again either.
        self._aside: set[str] = set()
        self._lock = Lock()

    def __len__(self) -> int:
        return self._waiting

    def of(self, subject: str) -> tuple[Row, ...]:
        """The events of a subject that wait, earliest recorded first."""
        with self._lock:
            return tuple(self._rows.get(subject, ()))

    def last(self, subject: str) -> int:
        """Sequence number of the last of them; 0 when none waits."""
        rows = self._rows.get(subject)
        return rows[-1].seq if rows else 0

    def heads(self, subjects: Iterable[str]) -> tuple[dict[str, int], list[str]]:
        """`last` of those of whom events wait, and the others."""
        heads: dict[str, int] = {}
        others: list[str] = []
        for subject in subjects:
            rows = self._rows.get(subject)
            if rows is None:
                others.append(subject)
            else:
                heads[subject] = rows[-1].seq
        return heads, others

    def floor(self, last_seq: int) -> int:
        """Everything up to this sequence number is in the profiles on disk.

        Args:
            last_seq: The last one given out.
        """
        for rows in self._rows.values():
            return rows[0].seq - 1
        return last_seq

    def add(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Takes what was committed."""
        mine = self._rows
        with self._lock:
            for subject, new in rows.items():
                waiting = mine.get(subject)
                if waiting is None:
                    waiting = mine[subject] = list(new)
                else:
                    waiting += new
                self._waiting += len(new)
                if len(waiting) >= self._max_rows:
                    self._full[subject] = None

    def drop(self, subjects: Iterable[str]) -> None:
        """Forgets the events of subjects whose profiles are up to date on disk, or who are erased."""
        with self._lock:
            for subject in subjects:
                self._waiting -= len(self._rows.pop(subject, ()))
                self._full.pop(subject, None)
                self._marked.pop(subject, None)
                self._aside.discard(subject)

    def due(self, new: int, last_seq: int, *, mending: bool = True) -> list[str]:
        """Whose profiles are to be written now.

        Args:
            new: How many events are to be added; so that no call waits long, hardly more profiles are written.
            last_seq: Sequence number of the last one before them.
            mending: Whether those that are damaged are: the log is read for them as long for one as for many.
        """

        def left(subject: str) -> bool:
            return subject in self._aside or (not mending and subject in self._marked)

        with self._lock:
            marked = (one for one in self._marked if not left(one)) if mending else ()
            due = dict.fromkeys(islice(marked, MAX_MENDED))
            limit = new + 16 + len(due)
            due |= dict.fromkeys(islice((one for one in self._full if not left(one)), limit - len(due)))
        excess = self._waiting + new - self._max_waiting
        excess -= sum(len(self._rows.get(subject, ())) for subject in due)
        oldest = last_seq - _MAX_SPAN * self._max_waiting
        for subject, rows in self._rows.items():
            if len(due) >= limit or (excess <= 0 and rows[0].seq > oldest):
                break
            if subject not in due and not left(subject):
                due[subject] = None
                excess -= len(rows)
        return list(due)

    def everybody(self) -> list[str]:
        """All whose profiles on disk are damaged, then all whose lag behind, but for those that were set aside."""
        with self._lock:
            return [one for one in dict.fromkeys((*self._marked, *self._rows)) if one not in self._aside]

    def mark(self, subject: str, *, readable: bool = False) -> None:
        """Has a profile written anew that was found damaged on disk. Any thread may call it.

        Args:
            subject: Whose.
            readable: The log could be read for it, so that it is not `set_aside` any more.
        """
        with self._lock:
            self._marked[subject] = None
            if readable:
                self._aside.discard(subject)

    def not_aside(self, subjects: Iterable[str]) -> list[str]:
        """Those that were not set aside."""
        return [subject for subject in subjects if subject not in self._aside]

    def set_aside(self, subjects: Iterable[str]) -> None:
        """Leaves profiles alone that cannot be counted again; their events stay in the log."""
        with self._lock:
            self._aside.update(subjects)

    def marked(self, subject: str) -> bool:
        """Whether it is to be counted again from the log."""
        return subject in self._marked


def caught_up(blob: bytes | None, rows: Sequence[Row], rules: Rules) -> ProfileState:
    """A stored profile and the events after it, counted.

    Args:
        blob: The encoded profile; ``None`` when there is none.
        rows: Events of the subject in the order of the log; those that the profile has already are left out.
        rules: Half-lives and caps.

    Raises:
        Exception: One of `DAMAGE`: the profile cannot be read.
    """
    state = ProfileState() if blob is None else decode_state(blob)
    version = state.version
    if new := [row for row in rows if row.seq > version]:
        state.extend(new, rules)
        state.version = new[-1].seq
    return state
