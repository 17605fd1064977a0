"""Scores of arbitrary items, made by the code that serves and comparable between queries."""

import numpy as np
import numpy.typing as npt

from vitrine.app.offline import Answer, OfflineShop
from vitrine.config import Config, SceneConfig
from vitrine.progress import Progress, quiet
from vitrine.ranking.blend import normalise
from vitrine_export.evaluate.classification import Pairs, Values
from vitrine_export.evaluate.lists import Codes, ItemCodes
from vitrine_export.evaluate.serving import BATCH, changed, window_queries
from vitrine_export.evaluate.temporal import Queries

# Items drawn from the catalogue that every query ranks beside its candidates, as the yardstick of places. More of them
# change nothing (100 and 400: accuracy .900 and .899 on sessions held out of RetailRocket).
REFERENCE = 200


def paired_scores(
    shop: OfflineShop,
    queries: Queries,
    codes: ItemCodes,
    pairs: Pairs,
    scene: str,
    seed: int = 0,
    progress: Progress = quiet,
) -> tuple[Values, Values]:
    """The places of positives and negatives in their queries' rankings, each in [0, 1].

    A reranker's score means nothing outside of its query, so the score of an item is its place: the share of items drawn
    from the whole catalogue (the same for every query) that it beats, which means the same for every query, however many
    candidates that has. Between items that beat equally many of them the share of the query's candidates decides. What
    was not found is ranked all the same; what the shop does not have, or the rules of the scene forbid, is at 0.
    Diversity, caps and places for newcomers, which are about lists and not about items, are off.

    Two orders of the same answer give a place each, of which the better counts: that of the window, and that of the
    scene's weights alone. A reranker has only met items that were found and scatters all others (check-ins held out of
    Gowalla: AUC .85 by the reranker, .91 by the weights, .90 by the better; sessions held out of RetailRocket: .92, .90
    and .93).

    Args:
        shop: Who answers.
        queries: The questions.
        codes: All items.
        pairs: Of these queries.
        scene: Which window.
        seed: Decides which items are drawn.
        progress: Told how far it is.

    Returns:
        ``float64[p]`` of the positives and ``float64[p]`` of the negatives.
    """
    shop = shop.variant(_one_by_one(shop.config, scene))
    there = _there(shop, codes)
    pool = np.flatnonzero(there)
    reference = np.random.default_rng(seed).choice(pool, min(REFERENCE, len(pool)), replace=False)
    # A list as long as there are items: nothing falls off its end.
    asked = window_queries(queries, codes, scene, len(codes))
    bounds = np.searchsorted(pairs.query, np.arange(len(queries) + 1))
    positive, negative = np.zeros(len(pairs)), np.zeros(len(pairs))
    for start in range(0, len(asked), BATCH):
        stop = min(start + BATCH, len(asked))
        wanted = [_items(pairs, bounds[i], bounds[i + 1]) for i in range(start, stop)]
        more = [np.unique(np.concatenate([w[there[w]], reference])) for w in wanted]
        include = [[codes.ids[c] for c in items.tolist()] for items in more]
        answers = shop.answers(asked[start:stop], reasons=False, include=include)
        for i, answer, items in zip(range(start, stop), answers, wanted, strict=True):
            places = _places(answer, items, reference, codes, shop.config.scenes[scene])
            own = slice(bounds[i], bounds[i + 1])
            positive[own], negative[own] = np.split(places, 2)
        progress(f"pairs of '{scene}'", stop / len(asked))
    return positive, negative


def _one_by_one(config: Config, scene: str) -> Config:
    lists_off = {"max_per_brand": 0, "max_per_category": 0, "newcomer_every": 0}
    rules = config.scenes[scene].rules.model_copy(update=lists_off)
    return changed(config, scene, rules=rules, diversity=0.0)


def _there(shop: OfflineShop, codes: ItemCodes) -> npt.NDArray[np.bool_]:
    """``bool[n]``: what the catalogue of the shop has and may sell."""
    catalog = shop.memory.store.catalog
    rows = catalog.rows(codes.ids, len(catalog.sellable))
    return np.asarray((rows >= 0) & catalog.sellable[rows]) if len(catalog.sellable) else rows >= 0


def _items(pairs: Pairs, start: int, stop: int) -> Codes:
    return np.concatenate([pairs.positive[start:stop], pairs.negative[start:stop]])


def _places(
    answer: Answer, items: Codes, reference: npt.NDArray[np.int64], codes: ItemCodes, scene: SceneConfig
) -> Values:
    """``float64[m]``: the place of each item in one ranking."""
    ranked = codes.codes(answer.item_ids)
    known = ranked >= 0
    found = answer.retrieved.candidates.masks[answer.ordered.positions] > 0
    weights = np.array([scene.weights.get(name, 0.0) for name in answer.ranked.score_names], np.float32)
    weighed = (normalise(answer.ordered.component_scores) * weights).sum(axis=1)
    places = np.zeros(len(items))
    for order in (answer.ordered.scores, weighed):
        score = np.full(len(codes), -np.inf)
        score[ranked[known]] = order[known]
        drawn = score[reference]
        drawn = drawn[np.isfinite(drawn)]
        # A step of the first share is as much as all of the second.
        first, second = _beaten(score[items], drawn), _beaten(score[items], order[found].astype(np.float64))
        places = np.maximum(places, (len(drawn) * first + second) / (len(drawn) + 1))
    return places


def _beaten(scores: Values, against: Values) -> Values:
    """The share of some scores that each score beats, equals counting half; what is not ranked beats nothing."""
    rising = np.sort(against)
    below = np.searchsorted(rising, scores, "left") + np.searchsorted(rising, scores, "right")
    return np.where(np.isfinite(scores), below / (2 * max(len(rising), 1)), 0.0)
