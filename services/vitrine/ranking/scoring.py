"""Has rankers score a batch: first the columns that plugins contribute, then each ranker, rerankers last."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from vitrine.config import SceneConfig
from vitrine.domain.answer import Degradation
from vitrine.domain.stages import Laps
from vitrine.features import Features
from vitrine.hosting import Calls
from vitrine.plugin import Batch, Scores


@dataclass(frozen=True, slots=True)
class Scored:
    """A batch, and what each ranker says of its candidates.

    Attributes:
        batch: The batch.
        scores: ``float32[n]`` by ranker, in the order in which they ran.
        calls: How they were called, and what was missing.
        seconds: Time of each step by component, those that failed included; 0 for what is off.
    """

    batch: Batch
    scores: Mapping[str, Scores]
    calls: Calls
    seconds: Mapping[str, float]

    @property
    def degraded(self) -> list[Degradation]:
        """What could not be had."""
        return list(self.calls.degraded)

    @property
    def components(self) -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
        """Names of rankers and, as ``source:NAME``, of sources, and their scores ``float32[n, c]``."""
        found, said = self.batch.source_scores, self.scores
        # Column by column: so they come, and so each is looked at.
        columns = np.empty((len(said) + found.shape[1], len(found)), np.float32)
        for row, scores in enumerate(said.values()):
            columns[row] = scores
        columns[len(said) :] = found.T
        return (*said, *(f"source:{name}" for name in self.batch.source_names)), columns.T


def score(
    make: Callable[[Mapping[str, Scores]], Batch],
    scenes: Sequence[SceneConfig],
    calls: Calls,
    blocks: Iterable[str] = (),
    laps: Laps | None = None,
) -> Scored:
    """The scores of the rankers of some scenes.

    Args:
        make: Makes the batch; given the scores, which rankers see as they fill.
        scenes: One for each query.
        calls: How plugins are called.
        blocks: Plugins whose feature columns are wanted beside those that the rankers read.
        laps: Measures it.
    """
    laps = laps or Laps()
    scores: dict[str, Scores] = {}
    seconds: dict[str, float] = {}
    batch = make(MappingProxyType(scores))
    if isinstance(batch.features, Features):
        batch.features.laps = laps
    laps.lap("batch")
    steps = calls.rankers.steps(tuple(dict.fromkeys((scene.rankers, scene.reranker) for scene in scenes)))
    for plugin in dict.fromkeys((*blocks, *steps.blocks)):
        columns = calls.columns(plugin, batch)
        if columns is not None and isinstance(batch.features, Features):
            batch.features.put(plugin, columns)
        seconds[f"features:{plugin}"] = calls.seconds
        laps.lap(f"features:{plugin}")
    for name in steps.rankers:
        column = calls.score(name, batch)
        if column is not None:
            scores[name] = column
        seconds[f"ranker:{name}"] = calls.seconds
        laps.lap(f"ranker:{name}")
    return Scored(batch, scores, calls, seconds)
