"""What stands in the server for a ranker or a block of columns that lives in a process of its own."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vitrine.domain.answer import ReasonCode
from vitrine.hosting.process.told import ToldBlock, ToldRanker
from vitrine.plugin import Attribution, Batch, FeatureColumn, Scores

Positions = npt.NDArray[np.int64]
# A budget is for a call with so many candidates.
_USUAL = 1000


class Caller(Protocol):
    """What is needed of `IsolatedPlugin`."""

    def call(self, target: str, method: str, batch: Batch, seconds: float, *arrays: npt.NDArray[Any]) -> Any:
        """Calls a method of the part in its process."""
        ...


class IsolatedRanker:
    """A ranker in a process of its own; see `vitrine.plugin.Ranker`, `Partial` and `Follower`.

    Its methods take at most the declared budget, and raise what `IsolatedPlugin.call` does.
    """

    def __init__(self, told: ToldRanker, caller: Caller) -> None:
        self.name = told.name
        self.version = told.version
        self.reason = None if told.reason is None else ReasonCode(told.reason)
        self.budget_ms = told.budget_ms
        self.partial = told.partial
        self.after = told.after
        self._caller = caller

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``, if the plugin keeps to the contract: the host checks it as it checks any."""
        scores: Scores = self._call("score", batch)
        return scores

    def _call(self, method: str, batch: Batch, *arrays: npt.NDArray[Any]) -> Any:
        return self._caller.call("ranker", method, batch, seconds_for(self.budget_ms, batch), *arrays)


class _Explaining(IsolatedRanker):
    def explain(self, batch: Batch, positions: Positions) -> Positions:
        """``int64[m]`` rows of ``batch.history``; −1 where none stands out."""
        rows: Positions = self._call("explain", batch, positions)
        return rows


class _Attributing(IsolatedRanker):
    def __init__(self, told: ToldRanker, caller: Caller) -> None:
        super().__init__(told, caller)
        self.groups = told.groups or ()

    def group_shares(self, batch: Batch, positions: Positions) -> Scores:
        """``float32[m, len(groups)]``."""
        shares: Scores = self._call("group_shares", batch, positions)
        return shares

    def attribute(self, batch: Batch, positions: Positions) -> Attribution:
        """What the scores of m candidates are made of."""
        attribution: Attribution = self._call("attribute", batch, positions)
        return attribution


class _Telling(_Explaining, _Attributing):
    pass


# By whether it explains and whether it attributes: `isinstance` tells the truth of each.
_CLASSES: dict[tuple[bool, bool], type[IsolatedRanker]] = {
    (False, False): IsolatedRanker,
    (True, False): _Explaining,
    (False, True): _Attributing,
    (True, True): _Telling,
}


def make_ranker(told: ToldRanker, caller: Caller) -> IsolatedRanker:
    """A ranker that can do what the real one can."""
    return _CLASSES[told.explains, told.groups is not None](told, caller)


class IsolatedBlock:
    """A block of columns in a process of its own; see `vitrine.plugin.FeatureBlock`."""

    def __init__(self, told: ToldBlock, caller: Caller) -> None:
        self.columns = tuple(FeatureColumn(c.name, c.text, c.version) for c in told.columns)
        self.budget_ms = told.budget_ms
        self._caller = caller

    def compute(self, batch: Batch) -> Mapping[str, Scores]:
        """``float32[n]`` by name of each of `columns`."""
        seconds = seconds_for(self.budget_ms, batch)
        columns: Mapping[str, Scores] = self._caller.call("block", "compute", batch, seconds)
        return columns


def seconds_for(budget_ms: float, batch: Batch) -> float:
    """Seconds that a call with this batch may take: in proportion where there are more than 1,000 candidates."""
    return budget_ms / 1000 * max(1.0, len(batch.items.ids) / _USUAL)
