"""Newcomers: places for what came in so lately that nobody has turned to it yet."""

import numpy as np
import numpy.typing as npt

from vitrine.domain.profile import DAY
from vitrine.plugin import Items

Positions = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]


def are_newcomers(items: Items, start: int, end: int, now: float, within: float) -> npt.NDArray[np.bool_]:
    """``bool[n]``: which of the candidates ``start`` to ``end`` are newcomers.

    Where nobody tells how popular they are, or the catalogue does not know when they came in, none is.

    Args:
        items: Candidates of a batch.
        start: The first.
        end: After the last.
        now: The moment to answer for, Unix seconds.
        within: So many seconds after an item came in, it is new.
    """
    created = items.created[start:end]
    found: npt.NDArray[np.bool_] = (items.popularity[start:end] == 0) & (created > 0)
    return found & (created <= now) & (created >= now - within)


def by_turns(ties: npt.NDArray[np.uint64], now: float) -> npt.NDArray[np.uint64]:
    """``uint64[n]``: what decides between newcomers of whom as little is known; every day others come first."""
    return ties * np.uint64(2 * int(now // DAY) + 1)


def with_newcomers(
    positions: Positions, final: Scores, newcomers: Positions, every: int
) -> tuple[Positions, Scores]:
    """A window in whose first ``j × every`` places at least j newcomers stand, for any j, as far as there are any.

    No behaviour speaks for them, and none ever will unless somebody sees them: a share of the places is theirs, as
    ε-greedy keeps one (Li et al., WWW 2010, section 2.2.1); here by what is known of them, not by a draw. What is missing
    goes to the last of each ``every`` places, so that the first ones stay, and a short window is the beginning of a long
    one.

    Args:
        positions: ``int64[m]``, the window.
        final: ``float32[m]``, its scores.
        newcomers: Those that may be shown, the best first, in the window or not.
        every: In so many places there is one of them.

    Returns:
        ``int64[m]`` and ``float32[m]``. A newcomer that was put in has the score of the place above it.
    """
    if not len(newcomers) or len(positions) < every:
        return positions, final
    size, order, scores = len(positions), positions.tolist(), final.tolist()
    waiting = newcomers[::-1].tolist()
    known, window, above, there = set(waiting), set(order), set[int](), 0
    for place in range(every, size + 1, every):
        # What stands above stays there.
        more = order[len(above) : place - 1]
        above.update(more)
        there += sum(map(known.__contains__, more))
        while waiting and waiting[-1] in above:
            waiting.pop()
        if not waiting:
            break
        if there >= place // every:
            continue
        score = scores[max(place - 2, 0)]
        if waiting[-1] in window:
            at = order.index(waiting[-1])
            del order[at], scores[at]
        order.insert(place - 1, waiting[-1])
        scores.insert(place - 1, score)
    return np.array(order[:size], np.int64), np.array(scores[:size], np.float32)
