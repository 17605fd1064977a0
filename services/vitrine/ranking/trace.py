"""How an order came about: the same arithmetic as the engine's, stopped after each step."""

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from vitrine.config import SceneConfig
from vitrine.domain.answer import Degradation, DegradationCode
from vitrine.domain.trace import Trace
from vitrine.ranking.blend import order
from vitrine.ranking.ordering import Ordering

Positions = npt.NDArray[np.int64]
Ties = npt.NDArray[np.uint64]


def trace(
    made: Ordering,
    scene: SceneConfig,
    ties: Ties,
    seconds: Mapping[str, float],
    degraded: Iterable[Degradation],
) -> Trace:
    """The trace of one query: a step for sources, one for each plugin, one each for rules, caps, diversity, newcomers.

    Args:
        made: How the list came about, of n candidates and m items.
        scene: Its scene.
        ties: ``uint64[n]``, what decides between equal scores.
        seconds: The time of each component ("ranker:NAME", "features:NAME"), in the order in which they ran, or would
            have.
        degraded: What was missing.
    """
    codes = {part.component: part.code for part in degraded}
    took = {name: time for name, time in seconds.items() if codes.get(name) is not DegradationCode.OFF}
    steps = [
        (_shown(component, scene), component, _ranks(made, found))
        for component, found in orders(made, scene, ties, seconds)
    ]
    steps += [
        ("rules", "", _ranks(made, made.kept[order(made.total[made.kept], ties[made.kept])])),
        ("caps", "", _ranks(made, made.ranked)),
        ("diversity", "", _ranks(made, made.diverse)),
        ("newcomers", "", np.arange(1, len(made.positions) + 1)),
    ]
    return Trace(
        names=tuple(name for name, _, _ in steps),
        seconds=np.array([took.get(component, math.nan) for _, component, _ in steps], np.float64),
        ranks=np.array([ranks for _, _, ranks in steps], np.int64),
        left_out=tuple(codes.get(component) for _, component, _ in steps),
    )


def changes(made: Ordering, scene: SceneConfig, ties: Ties, ran: Iterable[str], k: int) -> dict[str, int]:
    """How many of the first k positions each ranker that had a say changed, by its name.

    Candidates that the rules leave out are no positions: nobody sees them.

    Args:
        made: As for `trace`.
        scene: Likewise.
        ties: Likewise.
        ran: Components in the order in which they ran.
        k: How many positions.
    """
    kept = np.zeros(len(made.total), np.bool_)
    kept[made.kept] = True
    said = {f"ranker:{name}": name for name in made.names}
    changed: dict[str, int] = {}
    before = np.empty(0, np.int64)
    for component, found in orders(made, scene, ties, ran):
        after = found[kept[found]]
        if component in said:
            changed[said[component]] = changed_positions(before, after, k)
        before = after
    return changed


def changed_positions(before: Positions, after: Positions, k: int) -> int:
    """At how many of the first k positions two orders differ; a position that only one of them has is one."""
    before, after = before[:k], after[:k]
    both = min(len(before), len(after))
    return max(len(before), len(after)) - both + int(np.count_nonzero(before[:both] != after[:both]))


def orders(
    made: Ordering, scene: SceneConfig, ties: Ties, ran: Iterable[str]
) -> Iterator[tuple[str, Positions]]:
    """The candidates in order as the sources alone have them (component "sources"), then after each plugin of the scene.

    A ranker adds its share to the blend; the reranker, which decides alone, replaces it; what is left out, and what
    offers no scores, changes nothing. Takes O(s × n log n) time for s plugins and n candidates.

    Args:
        made: As for `trace`.
        scene: Likewise.
        ties: Likewise.
        ran: Components in the order in which they ran.

    Yields:
        The component, and ``int64[n]`` positions, best first.
    """
    counted = np.array([name.startswith("source:") for name in made.names], np.bool_)
    shares = made.shares()
    found = _blended(shares, counted, ties)
    yield "sources", found
    rankers = {f"ranker:{name}" for name in scene.rankers}
    reranker = f"ranker:{scene.reranker}"
    for component in ran:
        name = component.removeprefix("ranker:")
        if component == reranker:
            if made.decided is not None:
                found = order(made.total, ties)
        elif component in rankers:
            if name in made.names:
                counted[made.names.index(name)] = True
                found = _blended(shares, counted, ties)
        elif not component.startswith("features:"):
            # Of another scene in the batch.
            continue
        yield component, found


def _blended(shares: npt.NDArray[np.float32], counted: npt.NDArray[np.bool_], ties: Ties) -> Positions:
    """The order by the shares ``float32[n, c]`` of some components."""
    # All columns are added up, the others as 0: with all of them the sum is the engine's to the last bit.
    total = (shares * counted).sum(axis=1, dtype=np.float32)
    return order(total, ties) if total.any() else np.arange(len(total))


def _shown(component: str, scene: SceneConfig) -> str:
    return f"re{component}" if component == f"ranker:{scene.reranker}" else component


def _ranks(made: Ordering, found: Positions) -> npt.NDArray[np.int64]:
    """``int64[m]``: ranks of the window's items in an order; 0 for those that it does not have."""
    ranks = np.zeros(len(made.total), np.int64)
    ranks[found] = np.arange(1, len(found) + 1)
    return ranks[made.positions]
