"""Lists made by the code that serves."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine.app.offline import OfflineShop
from vitrine.config import Config, SceneConfig
from vitrine.domain.answer import Degradation
from vitrine.domain.request import Context
from vitrine.domain.subject import Subject
from vitrine.progress import Progress, quiet
from vitrine.recommendation.query import WindowQuery
from vitrine_export.evaluate.lists import Codes, ItemCodes, Lists
from vitrine_export.evaluate.report import PIPELINE
from vitrine_export.evaluate.temporal import Queries

# Shoppers ranked together: beyond that, nothing gets faster.
BATCH = 64
_NOTHING = (np.empty(0, np.int32), np.empty(0, np.float32))
# A weight that lets a ranker run and is zero in the 32 bits in which scores are added up.
_NO_SAY = 1e-60


@dataclass(frozen=True, slots=True)
class Windows:
    """What is asked for.

    Attributes:
        queries: The questions.
        codes: All items.
        scene: Which window.
        k: Its length.
    """

    queries: Queries
    codes: ItemCodes
    scene: str
    k: int


def served(
    shop: OfflineShop,
    windows: Windows,
    progress: Progress = quiet,
    *,
    degraded: Counter[Degradation] | None = None,
) -> Lists:
    """The windows of a scene for all queries, as of the moment the shop was filled up to.

    Args:
        shop: Who answers.
        windows: What is asked for.
        progress: Told how far it is.
        degraded: Takes in of how many answers something was missing.
    """
    rows, codes, scene, k = [], windows.codes, windows.scene, windows.k
    asked = window_queries(windows.queries, codes, scene, k)
    for start in range(0, len(asked), BATCH):
        answers = shop.answers(asked[start : start + BATCH], reasons=False)
        rows += [(codes.codes(answer.item_ids), answer.ordered.scores) for answer in answers]
        if degraded is not None:
            degraded.update(part for answer in answers for part in set(answer.ranked.degraded))
        progress(f"windows of '{scene}'", (start + len(answers)) / len(asked))
    return Lists.of(rows, k)


def served_parts(
    shop: OfflineShop,
    windows: Windows,
    progress: Progress = quiet,
    *,
    degraded: Counter[Degradation] | None = None,
) -> dict[str, Lists]:
    """The windows of a scene, and what each ranker and source alone makes of the same candidates, in one pass.

    A ranker alone has the candidates that it says something of by its scores; a source alone those that it found.
    Arguments as for `served`.

    Returns:
        Lists by `PIPELINE`, name of the ranker and ``source:NAME``.
    """
    codes, scene, k = windows.codes, windows.scene, windows.k
    rows: dict[str, list[tuple[Codes, npt.NDArray[np.float32]]]] = {PIPELINE: []}
    # Everything that a component says, not only what it brought into the window.
    asked = window_queries(windows.queries, codes, scene, max(k, shop.config.scenes[scene].candidates))
    for start in range(0, len(asked), BATCH):
        for answer in shop.answers(asked[start : start + BATCH], reasons=False):
            found, place = codes.codes(answer.item_ids), len(rows[PIPELINE])
            rows[PIPELINE].append((found[:k], answer.ordered.scores[:k]))
            ties = codes.ties[found]
            for column, name in enumerate(answer.ranked.score_names):
                said = answer.ordered.component_scores[:, column]
                best = np.lexsort((ties, -said))[: min(k, int(np.count_nonzero(~np.isnan(said))))]
                mine = rows.setdefault(name, [])
                mine += [_NOTHING] * (place - len(mine))
                mine.append((found[best], said[best]))
            if degraded is not None:
                degraded.update(set(answer.ranked.degraded) | set(answer.retrieved.degraded))
        progress(f"windows of '{scene}'", min(start + BATCH, len(asked)) / len(asked))
    return {name: Lists.of(own + [_NOTHING] * (len(asked) - len(own)), k) for name, own in rows.items()}


def window_queries(queries: Queries, codes: ItemCodes, scene: str, k: int) -> list[WindowQuery]:
    """The questions as a server is asked them."""
    return [
        WindowQuery(
            Subject.from_key(user),
            scene,
            k,
            context=Context(basket=tuple(codes.ids[c] for c in queries.contexts.of(i).tolist())),
        )
        for i, user in enumerate(queries.users)
    ]


def alone(config: Config, scene: str, there: Collection[str], *, sources: bool = True) -> dict[str, Config]:
    """The configurations in which one part of a scene's pipeline decides: every ranker, then every source.

    A ranker alone orders the candidates of all sources by its scores. They are those that it gives in the pipeline: as
    one like `deep` reads the scores of the others, these run and weigh nothing. A source alone finds the candidates,
    too. The reranker is nothing without the others: of it, `ablated` has the pipeline without it.

    Args:
        config: The configuration.
        scene: Name of the scene.
        there: The rankers that the models have; of another one there is nothing to measure.
        sources: Whether to have the sources, too.
    """
    whole = config.scenes[scene]
    rules = whole.rules.model_copy(update={"newcomer_every": 0})
    plain: dict[str, object] = {"diversity": 0.0, "reranker": "", "rules": rules}
    silent = dict.fromkeys(whole.rankers, _NO_SAY)
    parts = {
        name: changed(config, scene, weights=silent | {name: 1.0}, **plain)
        for name in whole.rankers
        if name in there
    }
    for source in whole.active_sources if sources else ():
        name = f"source:{source}"
        only = {source: whole.candidates}
        parts[name] = changed(config, scene, sources=only, weights={name: 1.0}, **plain)
    return parts


def ablated(config: Config, scene: str, there: Collection[str]) -> dict[str, Config]:
    """The pipeline without one of its parts: each ranker, each source, the reranker, diversity, places for newcomers.

    Nothing is trained again: this is what a server does where the part is gone. Arguments as for `alone`; without a
    ranker that is not there the pipeline is the whole one.
    """
    whole = config.scenes[scene]
    parts: dict[str, Config] = {}
    if whole.reranker in there:
        parts[f"− {whole.reranker}"] = changed(config, scene, reranker="")
    for name in (name for name in whole.rankers if name in there):
        left = {other: weight for other, weight in whole.weights.items() if other != name}
        parts[f"− {name}"] = changed(config, scene, weights=left)
    for source in whole.active_sources:
        name = f"source:{source}"
        left = {other: weight for other, weight in whole.weights.items() if other != name}
        others = {other: limit for other, limit in whole.active_sources.items() if other != source}
        if others:
            parts[f"− {name}"] = changed(config, scene, weights=left, sources=others)
    if whole.diversity:
        parts["− diversity"] = changed(config, scene, diversity=0.0)
    if whole.rules.newcomer_every:
        rules = whole.rules.model_copy(update={"newcomer_every": 0})
        parts["− places for newcomers"] = changed(config, scene, rules=rules)
    return parts


def without_purchased(config: Config, scene: str) -> Config:
    """The configuration with the business rule that leaves out what the shopper bought before."""
    rules = config.scenes[scene].rules.model_copy(update={"exclude_purchased": True})
    return changed(config, scene, rules=rules)


def check_scenes(config: Config, scenes: Sequence[str]) -> None:
    """Refuses a configuration that lacks a scene of the protocol.

    Raises:
        InvalidInput: Names it.
    """
    from vitrine.errors import InvalidInput

    for scene in scenes:
        if scene not in config.scenes:
            raise InvalidInput(f"scenes.{scene}", "is not configured, and this protocol measures it")


def changed(config: Config, scene: str, **changes: object) -> Config:
    """The configuration with other fields of one scene."""
    other: SceneConfig = config.scenes[scene].model_copy(update=changes)
    return config.model_copy(update={"scenes": {**config.scenes, scene: other}})
