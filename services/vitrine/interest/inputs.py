"""Inputs of the interest encoder, from columns. Training and serving make them by these same functions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.content.model import Vectors
from vitrine.domain.events import INTEREST_BY_TYPE, EventType
from vitrine.domain.parts import joined, offsets_of, sizes_of
from vitrine.domain.profile import DAY, Profile
from vitrine.domain.request import Context

Rows = npt.NDArray[np.int32]

# Of a history's weight, here and in ranking, the share that goes by the short-term interest where there is any, and
# then by the context: a window about an item or a basket is first of all about that, and only then about the shopper.
SHORT_SHARE = 0.3
CONTEXT_SHARE = 0.75
# The encoder runs at these lengths or the full one: few shapes are quicker for a GPU, short ones for a CPU.
_LENGTHS = (8, 16, 32)
# By the number of the type, whether an event shows interest.
_COUNTS = INTEREST_BY_TYPE > 0


@dataclass(frozen=True, slots=True)
class Shoppers:
    """What b shoppers did, as columns; the events of a shopper are the oldest first.

    Attributes:
        event_offsets: ``int64[b + 1]``, shopper q owns events ``event_offsets[q]`` to ``event_offsets[q + 1]``.
        event_rows: ``int32[e]``, rows of item vectors.
        event_types: ``int8[e]``, `EventType` numbers.
        event_ages: ``float32[e]``, days before the moment of asking.
        history_offsets: ``int64[b + 1]``, the same for the items of the whole history.
        history_rows: ``int32[h]``, rows of item vectors.
        history_weights: ``float64[h]``, sum to 1 for each shopper who has any.
    """

    event_offsets: npt.NDArray[np.int64]
    event_rows: Rows
    event_types: npt.NDArray[np.int8]
    event_ages: npt.NDArray[np.float32]
    history_offsets: npt.NDArray[np.int64]
    history_rows: Rows
    history_weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.event_offsets) - 1


@dataclass(frozen=True, slots=True)
class Sequences:
    """The latest events of b shoppers, padded at the front.

    Attributes:
        rows: ``int32[b, l]``, rows of item vectors; 0 where there is padding.
        types: ``int64[b, l]``, `EventType` numbers, 0 for padding.
        ages: ``float32[b, l]``, days; 0 for padding.
    """

    rows: Rows
    types: npt.NDArray[np.int64]
    ages: npt.NDArray[np.float32]


def shoppers_of(
    profiles: Sequence[Profile],
    contexts: Sequence[Context],
    now: float,
    rows_of: Callable[[Sequence[str]], Rows],
) -> Shoppers:
    """The columns of b profiles as of ``now`` (Unix seconds).

    Events that show no interest, hidden items and items without a row are left out. What lies in the basket and
    what is on the page count as the latest events: as put into the basket and as viewed, just now.

    Args:
        profiles: b profiles.
        contexts: What each shopper is looking at.
        now: The moment of asking.
        rows_of: ``int32[m]`` rows of item vectors for m identifiers, −1 for an unknown one.
    """
    events, histories = [], []
    for profile, context in zip(profiles, contexts, strict=True):
        events.append(_events(profile, context, now, rows_of))
        histories.append(_history(profile, context, now, rows_of))
    rows, types, ages = zip(*events, strict=True) if events else ((), (), ())
    known, long, short, shown = zip(*histories, strict=True) if histories else ((), (), (), ())
    history_offsets = offsets_of([len(k) for k in known])
    return Shoppers(
        offsets_of([len(r) for r in rows]),
        joined(rows, np.int32),
        joined(types, np.int8),
        joined(ages, np.float32),
        history_offsets,
        joined(known, np.int32),
        history_weights(
            joined(long, np.float64), joined(short, np.float64), joined(shown, np.bool_), history_offsets
        ),
    )


def history_weights(
    long: npt.NDArray[np.float64],
    short: npt.NDArray[np.float64],
    context: npt.NDArray[np.bool_],
    offsets: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """``float64[h]``: how much each item of a history counts; sums to 1 for each shopper who has any interest.

    A share by the logarithm of the long-term interest, so that one much-bought item does not speak for the whole
    shopper, and a share by the short-term interest where there is any. The items of the context share alike.

    Args:
        long: ``float64[h]``, long-term interest as of the moment of asking, not negative; 0 for the context.
        short: ``float64[h]``, the short-term one.
        context: ``bool[h]``, items of the context.
        offsets: ``int64[b + 1]``, shopper q owns ``offsets[q]`` to ``offsets[q + 1]``.
    """
    sizes = sizes_of(offsets)
    owner = np.arange(len(sizes)).repeat(sizes)
    weights = _share(np.log1p(long), owner, len(sizes))
    for more, part in ((short, SHORT_SHARE), (context.astype(np.float64), CONTEXT_SHARE)):
        if not more.any():
            continue
        there = np.bincount(owner, more, len(sizes)) > 0
        weights = np.where(
            there[owner], (1 - part) * weights + part * _share(more, owner, len(sizes)), weights
        )
    # Without a history the context is all there is.
    return _share(weights, owner, len(sizes))


def sequences(shoppers: Shoppers, length: int) -> Sequences:
    """The latest ``length`` events of each shopper; narrower when nobody has as many."""
    longest = int(sizes_of(shoppers.event_offsets).max(initial=1))
    width = min(length, next((n for n in _LENGTHS if longest <= n), length))
    at = shoppers.event_offsets[1:, None] + np.arange(-width, 0)
    there = at >= shoppers.event_offsets[:-1, None]
    if not len(shoppers.event_rows):
        return Sequences(*(np.zeros(there.shape, t) for t in (np.int32, np.int64, np.float32)))
    at = np.where(there, at, 0)
    return Sequences(
        np.where(there, shoppers.event_rows[at], np.int32(0)),
        np.where(there, shoppers.event_types[at], 0).astype(np.int64),
        np.where(there, shoppers.event_ages[at], np.float32(0)),
    )


def every_shape(length: int, dimensions: int) -> Iterator[dict[str, npt.NDArray[np.generic]]]:
    """Inputs of one shopper at every length at which `encoder_inputs` makes them, for a device to get to know."""
    for width in (*(n for n in _LENGTHS if n < length), length):
        yield {
            "recent": np.zeros((1, width, dimensions), np.float32),
            "types": np.full((1, width), EventType.VIEW, np.int64),
            "ages": np.zeros((1, width), np.float32),
            "history": np.zeros((1, dimensions), np.float32),
        }


def encoder_inputs(shoppers: Shoppers, vectors: Vectors, length: int) -> dict[str, npt.NDArray[np.generic]]:
    """The inputs of the encoder by name: recent, types, ages and history.

    Args:
        shoppers: b shoppers.
        vectors: ``float32[n, d]``, item vectors.
        length: How many events the encoder takes at most.
    """
    latest = sequences(shoppers, length)
    recent = vectors.take(latest.rows, axis=0)
    recent[latest.types == 0] = 0
    history = np.zeros((len(shoppers), vectors.shape[1]), np.float32)
    weights = shoppers.history_weights.astype(np.float32)
    for q in sizes_of(shoppers.history_offsets).nonzero()[0].tolist():
        own = slice(shoppers.history_offsets[q], shoppers.history_offsets[q + 1])
        history[q] = weights[own] @ vectors.take(shoppers.history_rows[own], axis=0)
    return {"recent": recent, "types": latest.types, "ages": latest.ages, "history": history}


def _events(
    profile: Profile, context: Context, now: float, rows_of: Callable[[Sequence[str]], Rows]
) -> tuple[Rows, npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    recent, items = profile.recent, profile.items
    counts = _COUNTS.take(recent.types).nonzero()[0]
    hidden = {items.item_ids[i] for i in (items.opinion < 0).nonzero()[0].tolist()}
    if hidden:
        counts = counts[[recent.item_ids[i] not in hidden for i in counts.tolist()]]
    rows, types = rows_of(recent.item_ids)[counts], recent.types[counts]
    ages = (np.maximum(now - recent.times[counts], 0.0) / DAY).astype(np.float32)
    seeds = context.basket + context.item_ids
    if seeds:
        shown = [EventType.ADD_TO_CART] * len(context.basket) + [EventType.VIEW] * len(context.item_ids)
        rows = np.concatenate((rows, rows_of(seeds)))
        types = np.concatenate((types, np.array(shown, np.int8)))
        ages = np.concatenate((ages, np.zeros(len(seeds), np.float32)))
    known = rows >= 0
    return rows[known], types[known], ages[known]


def _history(
    profile: Profile, context: Context, now: float, rows_of: Callable[[Sequence[str]], Rows]
) -> tuple[Rows, npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    seeds = context.basket + context.item_ids
    rows, long, short = (
        rows_of(profile.items.item_ids),
        profile.interest(now),
        profile.interest(now, short=True),
    )
    shown = np.zeros(len(rows), np.bool_)
    if seeds:
        none = np.zeros(len(seeds))
        rows = np.concatenate((rows, rows_of(seeds)))
        long, short = np.concatenate((long, none)), np.concatenate((short, none))
        shown = np.arange(len(rows)) >= len(profile.items)
    known = ((rows >= 0) & ((long > 0) | (short > 0) | shown)).nonzero()[0]
    return rows[known], long[known], short[known], shown[known]


def _share(
    values: npt.NDArray[np.float64], owner: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.float64]:
    """Values divided by the sums of their owners."""
    total = np.bincount(owner, values, count)
    total[~(total > 0)] = 1.0
    # Of one shopper, whom a request is about, nothing has to be looked up.
    return values / (total if count == 1 else total[owner])
