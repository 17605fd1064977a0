"""What is known of a shopper, as read: immutable columns."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from weakref import ref

import numpy as np
import numpy.typing as npt

from vitrine.domain.subject import Subject

DAY = 86_400.0
LAPSED_AFTER = 90 * DAY


def _f64() -> npt.NDArray[np.float64]:
    return np.empty(0)


def _f32() -> npt.NDArray[np.float32]:
    return np.empty(0, np.float32)


def _i8() -> npt.NDArray[np.int8]:
    return np.empty(0, np.int8)


def decay(
    weights: npt.NDArray[np.float64], last: npt.NDArray[np.float64], now: float, half_life: float
) -> npt.NDArray[np.float64]:
    """Weights as of ``now``: ``weights × 2^(−(now − last) ÷ half_life)``; times and half-life in seconds.

    Rows from after ``now`` keep their weight.
    """
    decayed: npt.NDArray[np.float64] = now - last
    np.maximum(decayed, 0.0, out=decayed)
    decayed /= -half_life
    np.exp2(decayed, out=decayed)
    decayed *= weights
    return decayed


class Segment(IntEnum):
    """How far a shopper has come with the shop; the numbers are those of the protocol."""

    NEW = 1
    BROWSER = 2
    BUYER = 3
    LOYAL = 4
    LAPSED = 5


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """What a shopper did with each of n items, the most recent last. Times are Unix seconds UTC.

    Attributes:
        item_ids: n identifiers.
        last_time: ``float64[n]``, last event.
        last_purchase: ``float64[n]``, last purchase; 0 when never bought.
        views: ``float64[n]``, views and clicks.
        in_cart: ``float64[n]``, how many lie in the basket as far as events tell.
        purchases: ``float64[n]``, purchase events.
        quantity: ``float64[n]``, pieces bought.
        long_term: ``float64[n]``, interest with the long half-life as of ``last_time``.
        short_term: ``float64[n]``, the same with the short half-life.
        rating: ``float32[n]``, last rating; NaN when never rated.
        opinion: ``int8[n]``, 1 liked, −1 hidden, 0 neither.
    """

    item_ids: Sequence[str] = ()
    last_time: npt.NDArray[np.float64] = field(default_factory=_f64)
    last_purchase: npt.NDArray[np.float64] = field(default_factory=_f64)
    views: npt.NDArray[np.float64] = field(default_factory=_f64)
    in_cart: npt.NDArray[np.float64] = field(default_factory=_f64)
    purchases: npt.NDArray[np.float64] = field(default_factory=_f64)
    quantity: npt.NDArray[np.float64] = field(default_factory=_f64)
    long_term: npt.NDArray[np.float64] = field(default_factory=_f64)
    short_term: npt.NDArray[np.float64] = field(default_factory=_f64)
    rating: npt.NDArray[np.float32] = field(default_factory=_f32)
    opinion: npt.NDArray[np.int8] = field(default_factory=_i8)

    def __len__(self) -> int:
        return len(self.item_ids)


@dataclass(frozen=True, slots=True)
class RecentEvents:
    """The latest n events in order of time: items (empty for a search), ``int8[n]`` types, ``float64[n]`` times."""

    item_ids: Sequence[str] = ()
    types: npt.NDArray[np.int8] = field(default_factory=_i8)
    times: npt.NDArray[np.float64] = field(default_factory=_f64)

    def __len__(self) -> int:
        return len(self.item_ids)


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts and interests of n keys; ``float64[n]`` each, interests as of ``last_time``."""

    keys: Sequence[str] = ()
    counts: npt.NDArray[np.float64] = field(default_factory=_f64)
    long_term: npt.NDArray[np.float64] = field(default_factory=_f64)
    short_term: npt.NDArray[np.float64] = field(default_factory=_f64)
    last_time: npt.NDArray[np.float64] = field(default_factory=_f64)

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Profile:
    """What is known of a shopper.

    Attributes:
        subject: Who; ``None`` when nobody was named.
        version: Grows with every change of this profile; 0 when nothing is known.
        watermark: How far the event log had been applied when the profile was read.
        event_count: Events counted.
        first_time: Earliest event, Unix seconds UTC; 0 when there is none.
        last_time: Latest event.
        purchase_days: Days with a purchase.
        items: What was done with each item.
        recent: The latest events.
        event_types: Counters by type (key: lower-case name of the `EventType`).
        categories: Counters by category path, every level.
        brands: Counters by brand.
        price_bands: Counters by half-octave of the price.
        long_half_life: Half-life of long-term weights in seconds.
        short_half_life: Half-life of short-term weights in seconds.
    """

    subject: Subject | None = None
    version: int = 0
    watermark: int = 0
    event_count: int = 0
    first_time: float = 0.0
    last_time: float = 0.0
    purchase_days: int = 0
    items: ItemHistory = field(default_factory=ItemHistory)
    recent: RecentEvents = field(default_factory=RecentEvents)
    event_types: Counters = field(default_factory=Counters)
    categories: Counters = field(default_factory=Counters)
    brands: Counters = field(default_factory=Counters)
    price_bands: Counters = field(default_factory=Counters)
    long_half_life: float = 30 * DAY
    short_half_life: float = 1 * DAY

    def segment(self, now: float) -> Segment:
        """How far the shopper has come, as of ``now`` (Unix seconds)."""
        if self.event_count == 0:
            return Segment.NEW
        if self.purchase_days == 0:
            return Segment.BROWSER
        if now - self.last_time > LAPSED_AFTER:
            return Segment.LAPSED
        return Segment.LOYAL if self.purchase_days >= 3 else Segment.BUYER

    def interest(self, now: float, *, short: bool = False) -> npt.NDArray[np.float64]:
        """``float64[n]``, read-only: the interest in each of ``items`` as of ``now``; hidden items have none."""
        return self._interest(self.items, now, short=short)

    def counted(self, counters: Counters, now: float, *, short: bool = False) -> npt.NDArray[np.float64]:
        """``float64[k]``, read-only: the interest in each of k keys of one of its counters as of ``now``."""
        return self._interest(counters, now, short=short)

    def _interest(
        self, kept: "ItemHistory | Counters", now: float, *, short: bool
    ) -> npt.NDArray[np.float64]:
        """What a request asks for again and again is remembered; never below 0."""
        known, key = _latest.of(self), (id(kept), now, short)
        found = known.get(key)
        # As long as it is known here, nothing else has its number.
        if found is not None and found[0] is kept:
            return found[1]
        weights = kept.short_term if short else kept.long_term
        half_life = self.short_half_life if short else self.long_half_life
        interest = decay(weights, kept.last_time, now, half_life)
        np.maximum(interest, 0.0, out=interest)
        if isinstance(kept, ItemHistory):
            interest[(kept.opinion < 0).nonzero()[0]] = 0.0
        interest.setflags(write=False)
        known[key] = kept, interest
        return interest


_Known = dict[tuple[int, float, bool], tuple[ItemHistory | Counters, npt.NDArray[np.float64]]]
# Interests that a thread remembers; a request asks for fewer.
_MOST_KNOWN = 32


class _Latest(threading.local):
    """The profile that a thread was asked about last, and its interests: many parts of a request read the same.

    It is not kept: a thread may wait for days, and what was erased must be gone.
    """

    def __init__(self) -> None:
        self._profile: ref[Profile] | None = None
        self._known: _Known = {}

    def of(self, profile: Profile) -> _Known:
        """What is remembered of a profile."""
        if self._profile is None or self._profile() is not profile or len(self._known) >= _MOST_KNOWN:
            known: _Known = {}
            self._profile, self._known = ref(profile, lambda _: known.clear()), known
        return self._known


_latest = _Latest()
