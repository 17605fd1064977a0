"""Reads the interests of shoppers, and remembers the latest: one page of a shop asks for several windows."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

import numpy as np

from vitrine.content.model import Vectors
from vitrine.domain.profile import Profile
from vitrine.domain.request import Context
from vitrine.interest.inputs import Rows, shoppers_of
from vitrine.interest.model import InterestModel, Interests

# The age of an event is told to so many seconds, whether or not anything is remembered: an answer follows from what was
# asked alone. The model reads ages on a scale of minutes and more.
STEP_SECONDS = 10.0
# Kilobytes each.
_KEPT = 2048

RowsOf = Callable[[Sequence[str]], Rows]


class InterestReader:
    """What shoppers are interested in, by the model of one bundle as one catalogue sees it. Any thread may call it.

    Shoppers who are asked about one at a time are remembered until they do something else, until the next step of
    time, or until item vectors change. Those of a batch are not: their numbers would differ in the last bits by who
    else is in it.

    Args:
        model: The model.
        kept: How many shoppers are remembered; 0 for none.
    """

    def __init__(self, model: InterestModel, kept: int = _KEPT) -> None:
        self._model = model
        self._kept = kept
        self._known: OrderedDict[Hashable, Interests] = OrderedDict()
        self._lock = threading.Lock()

    def read(
        self,
        profiles: Sequence[Profile],
        contexts: Sequence[Context],
        now: float,
        rows_of: RowsOf,
        vectors: Vectors,
        revision: int,
    ) -> Interests:
        """The interests of b shoppers, read-only.

        Args:
            profiles: b profiles.
            contexts: What each shopper is looking at.
            now: The moment of asking, Unix seconds.
            rows_of: ``int32[m]`` rows of ``vectors`` for m identifiers, −1 for an unknown one.
            vectors: ``float32[n, d]``, item vectors.
            revision: Changes whenever vectors or rows do; taken before them.

        Raises:
            InferenceError: The model failed or answered NaN.
            InferenceTimeout: It took too long.
        """
        moment = now // STEP_SECONDS * STEP_SECONDS
        if len(profiles) != 1 or not self._kept:
            return self._encode(profiles, contexts, moment, rows_of, vectors)
        key = (_told(profiles[0]), contexts[0].basket, contexts[0].item_ids, moment, revision)
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
        # Not under the lock: two who ask for the same at once both find it.
        found = self._encode(profiles, contexts, moment, rows_of, vectors)
        with self._lock:
            self._known[key] = found
            if len(self._known) > self._kept:
                self._known.popitem(last=False)
        return found

    def _encode(
        self,
        profiles: Sequence[Profile],
        contexts: Sequence[Context],
        moment: float,
        rows_of: RowsOf,
        vectors: Vectors,
    ) -> Interests:
        found = self._model.encode(shoppers_of(profiles, contexts, moment, rows_of), vectors)
        for vector in found:
            vector.flags.writeable = False
        return found


def _told(profile: Profile) -> Hashable:
    """Who it is, which version, and all that the model reads of it: a caller may send any profile under any version."""
    recent, items = profile.recent, profile.items
    read = (
        tuple(recent.item_ids),
        recent.types.tobytes(),
        recent.times.tobytes(),
        tuple(items.item_ids),
        *(
            np.asarray(c).tobytes()
            for c in (items.last_time, items.long_term, items.short_term, items.opinion)
        ),
        profile.long_half_life,
        profile.short_half_life,
    )
    return profile.subject, profile.version, hash(read)
