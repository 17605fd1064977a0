"""Newcomers: places for what came in so lately that nobody has turned to it yet."""

import numpy as np
import numpy.typing as npt

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


def with_newcomers(
    positions: Positions, final: Scores, newcomers: Positions, every: int
) -> tuple[Positions, Scores]:
    """A window in whose first ``j × every`` places at least j newcomers stand, for any j, as far as there are any.

    No behaviour speaks for them, and none ever will unless somebody sees them: a share of the places explores (as
    ε-greedy does, Li et al., WWW 2010, section 2.2.1, with the best of them in place of any). What is missing goes to the
    last of each ``every`` places, so that the first ones stay, and a short window is the beginning of a long one.

    Args:
        positions: ``int64[m]``, the window.
        final: ``float32[m]``, its scores.
        newcomers: Those that may be shown, the best first, in the window or not.
        every: In so many places there is one of them.

    Returns:
        ``int64[m]`` and ``float32[m]``. A newcomer that was put in has the score of the place above it.
    """
    order, waiting = positions.tolist(), newcomers.tolist()
    known = set(waiting)
    scores = dict(zip(order, final.tolist(), strict=True))
    for wanted in range(1, len(order) // every + 1):
        end = wanted * every
        first = set(order[:end])
        waiting = [newcomer for newcomer in waiting if newcomer not in first]
        if not waiting:
            break
        if len(known & first) < wanted:
            best = waiting[0]
            if best in scores:
                order.remove(best)
            order.insert(end - 1, best)
            scores[best] = scores[order[max(end - 2, 0)]] if end > 1 else scores[order[1]]
    shown = order[: len(positions)]
    return np.array(shown, np.int64), np.array([scores[position] for position in shown], np.float32)
