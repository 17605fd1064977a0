"""What a model has to beat: simple methods, fitted on what came before and run in the same command.

One file a kind of method; `base` says what each of them is. `fit_baselines` makes all that the data allow.
"""

from collections.abc import Iterator

from vitrine_export.evaluate.baselines.base import Asked, Baseline
from vitrine_export.evaluate.baselines.buy_again import BuyAgain, BuyAgainByRecency
from vitrine_export.evaluate.baselines.item_knn import ItemKnn
from vitrine_export.evaluate.baselines.linear import MAX_EASE_ITEMS, Ease, GraphFilter
from vitrine_export.evaluate.baselines.popularity import Popularity, RecentPopularity
from vitrine_export.evaluate.baselines.session_knn import SessionKnn
from vitrine_export.evaluate.baselines.transitions import MarkovChain, SequentialRules
from vitrine_export.evaluate.log import Log

__all__ = [
    "Asked",
    "Baseline",
    "BuyAgain",
    "BuyAgainByRecency",
    "Ease",
    "GraphFilter",
    "ItemKnn",
    "MarkovChain",
    "Popularity",
    "RecentPopularity",
    "SequentialRules",
    "SessionKnn",
    "fit_baselines",
]


def fit_baselines(
    log: Log, now: float, *, times: bool, order: bool, repeats: bool = True, seed: int = 0
) -> Iterator[Baseline]:
    """The baselines that a data set allows, each fitted when it is asked for, so that one at a time is in memory.

    Args:
        log: What was taken before.
        now: The moment to answer for, Unix seconds.
        times: Whether the log has times.
        order: Whether the rows of a shopper stand in order, as they do where there are times.
        repeats: Whether lists may show what the history has; if not, buying again finds nothing.
        seed: Decides what methods draw.
    """
    popular: Popularity = Popularity(log)
    yield popular
    if times:
        popular = RecentPopularity(log, now)
        yield popular
    if repeats:
        yield BuyAgain(popular)
        if order:
            yield BuyAgainByRecency(popular)
    yield ItemKnn(log)
    if order:
        yield MarkovChain(log)
        yield SequentialRules(log)
        yield SessionKnn(log, seed=seed)
    yield Ease(log) if log.items <= MAX_EASE_ITEMS else GraphFilter(log, seed=seed)
