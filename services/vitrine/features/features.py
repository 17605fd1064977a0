"""The columns of one batch, each block computed when one of its columns is first asked for."""

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.columns import contributed_name
from vitrine.domain.stages import Laps
from vitrine.errors import InferenceError, InferenceTimeout
from vitrine.features.plan import BLOCKS, Component, Plan, numbers_of, plan_of
from vitrine.features.scale import places, shares
from vitrine.interest import Interests
from vitrine.plugin import Batch

Column32 = npt.NDArray[np.float32]

# Rows for columns, to begin with: as many as models of today read.
_ROOM = 128


class Features:
    """Feature columns of the n candidates of a batch; see `vitrine.plugin.FeatureColumns`.

    A batch is worked on by one thread. Where that one hangs in a plugin and another goes on, both find the same
    columns: the worst of it is that one is computed twice.

    Attributes:
        laps: Is told what columns and interests cost, within the lap of whoever asked for them first.
    """

    def __init__(
        self,
        batch: Batch,
        catalog: Catalog,
        bundle: AttachedBundle | None,
        interests: Interests | None = None,
    ) -> None:
        self._batch = batch
        self._catalog = catalog
        self._bundle = bundle
        # A row for each column by its number, and the numbers of those that are known, whose rows never change.
        self._table: Column32 = np.empty((_ROOM, len(batch.items.ids)), np.float32)
        self._known: set[int] = set()
        self._keeping = threading.Lock()
        self._interests: Interests | InferenceError | InferenceTimeout | None = interests
        self.laps: Laps | None = None

    def put(self, plugin: str, columns: Mapping[str, Column32]) -> None:
        """Takes in what a plugin contributes: ``float32[n]`` by name of its columns, which were checked.

        It may use its arrays again: copies are kept.
        """
        names = [contributed_name(plugin, name) for name in columns]
        self._keep(numbers_of(names), np.array(list(columns.values()), np.float32))

    def column(self, name: str) -> Column32:
        """``float32[n]``, read-only, NaN where there is nothing to say.

        All NaN for a ranker, source or plugin that did not take part.

        Raises:
            KeyError: There is no such column.
        """
        plan = plan_of((name,))
        self._compute(plan)
        (number,) = plan.needed
        if number not in self._known:
            return _frozen(np.full(self._table.shape[1], np.nan, np.float32))
        return _frozen(self._table[number])

    def matrix(self, names: Sequence[str]) -> Column32:
        """``float32[n, f]``, in one piece by rows: the columns of some names."""
        plan = plan_of(tuple(names))
        self._compute(plan)
        # Before the table is looked at: what is known is in it.
        absent = plan.needed - self._known
        columns = self._table.take(plan.numbers, axis=0, mode="clip")
        if absent:
            columns[[number in absent for number in plan.numbers.tolist()]] = np.nan
        return np.ascontiguousarray(columns.T)

    def interests(self) -> Interests | None:
        """What each of the q shoppers is interested in, as the bundle's model reads it; ``None`` without a model.

        A model that failed is not run again for the same batch: several rankers ask, and each would wait for it.

        Raises:
            InferenceError: The model failed; a ranker may leave that to whoever called it.
            InferenceTimeout: It did not answer in time.
        """
        if self._interests is None and self._bundle is not None:
            took = Laps()
            batch = self._batch
            try:
                self._interests = self._bundle.interests(batch.profiles, batch.contexts, batch.request_time)
            except (InferenceError, InferenceTimeout) as error:
                # A new one for each who asks: an error that was raised holds the frames that it went through.
                self._interests = type(error)(*error.args)
            if self.laps is not None:
                self.laps.within("interest", took)
        if isinstance(self._interests, InferenceError | InferenceTimeout):
            raise type(self._interests)(*self._interests.args)
        return self._interests

    def _compute(self, plan: Plan) -> None:
        """Columns of a plan, all that are missing of the components together.

        Of a component that is not there none is kept: who runs later may bring what is missing now.
        """
        if self._known.issuperset(plan.needed):
            return
        took = Laps()
        for block, numbers in plan.blocks.items():
            if numbers[0] not in self._known:
                self._keep(numbers, BLOCKS[block][1](self._batch, self._catalog, self._bundle))
        # By the places, which are kept last: whoever asks meanwhile finds both.
        said = [(one, self._scores(one)) for one in plan.components if one.rank not in self._known]
        there = [(one, scores) for one, scores in said if scores is not None]
        if there:
            table = np.array([scores for _, scores in there])
            self._keep([one.share for one, _ in there], shares(table, self._batch.offsets))
            self._keep([one.rank for one, _ in there], places(table, self._batch.offsets))
        if self.laps is not None:
            self.laps.within("features", took)

    def _keep(self, numbers: list[int] | range, columns: Column32) -> None:
        """Remembers columns, a row each, which many read from now on and nobody may change."""
        with self._keeping:
            if self._known.issuperset(numbers):
                return
            room = len(self._table)
            if max(numbers) >= room:
                # Who reads the old one finds in it what was known.
                table = np.empty((2 * max(numbers), self._table.shape[1]), np.float32)
                table[:room] = self._table
                self._table = table
            # What stands together is copied in one piece.
            at = slice(numbers.start, numbers.stop) if isinstance(numbers, range) else numbers
            self._table[at] = columns
            self._known.update(numbers)

    def _scores(self, component: Component) -> Column32 | None:
        """What a ranker that ran, a source that was asked, or the shop itself says of the candidates."""
        batch, name = self._batch, component.name
        if component.kind == "item":
            return batch.items.popularity
        if component.kind == "ranker":
            return batch.scores.get(name)
        return batch.source_scores[:, batch.source_names.index(name)] if name in batch.source_names else None


def _frozen(values: Column32) -> Column32:
    values.setflags(write=False)
    return values


class NoFeatures:
    """Of a batch that features are still to be made of."""

    # Features hold such a batch: one that held them in turn would leave a cycle for the collector at each request.

    def column(self, name: str, /) -> Column32:
        """None are there."""
        raise KeyError(name)

    def matrix(self, names: Sequence[str], /) -> Column32:
        """None are there."""
        raise KeyError(*names)

    def interests(self) -> Interests | None:
        """None are there."""
        return None
