"""The columns of one batch, each block computed when one of its columns is first asked for."""

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.columns import contributed_name
from vitrine.domain.stages import Laps
from vitrine.errors import InferenceError, InferenceTimeout
from vitrine.features.plan import BLOCKS, plan_of
from vitrine.features.scale import places, shares
from vitrine.interest import Interests
from vitrine.plugin import Batch

Column32 = npt.NDArray[np.float32]

_SAYS = {"share": shares, "rank": places}
# Rows for columns, to begin with: as many as models of today read.
_ROOM = 128


class Features:
    """Feature columns of the n candidates of a batch; see `vitrine.plugin.FeatureColumns`.

    A batch is worked on by one thread. Where that one hangs in a plugin and another goes on, both find the same
    columns: the worst of it is that one is computed twice.

    Attributes:
        laps: Is told what columns and interests cost, within the lap of whoever asked for them first.
    """

    def __init__(self, batch: Batch, catalog: Catalog, bundle: AttachedBundle | None) -> None:
        self._batch = batch
        self._catalog = catalog
        self._bundle = bundle
        # A row for each column that is known, and its number by name. Rows never change once they have one.
        self._table: Column32 = np.empty((_ROOM, len(batch.items.ids)), np.float32)
        self._known: dict[str, int] = {}
        self._used = 0
        self._keeping = threading.Lock()
        self._interests: Interests | InferenceError | InferenceTimeout | None = None
        self.laps: Laps | None = None

    def put(self, plugin: str, columns: Mapping[str, Column32]) -> None:
        """Takes in what a plugin contributes: ``float32[n]`` by name of its columns, which were checked.

        It may use its arrays again: copies are kept.
        """
        names = [contributed_name(plugin, name) for name in columns]
        self._keep(names, np.array(list(columns.values()), np.float32))

    def column(self, name: str) -> Column32:
        """``float32[n]``, read-only, NaN where there is nothing to say.

        All NaN for a ranker, source or plugin that did not take part.

        Raises:
            KeyError: There is no such column.
        """
        if name not in self._known:
            self._compute((name,))
        row = self._known.get(name)
        return self._nothing if row is None else _frozen(self._table[row])

    def matrix(self, names: Sequence[str]) -> Column32:
        """``float32[n, f]``, in one piece by rows: the columns of some names."""
        known = self._known
        missing = tuple([name for name in names if name not in known])
        if missing:
            self._compute(missing)
        if not names:
            return np.empty((len(self._batch.items.ids), 0), np.float32)
        rows = [known.get(name, -1) for name in names]
        columns = self._table.take(rows, axis=0)
        if -1 in rows:
            columns[[place for place, row in enumerate(rows) if row < 0]] = np.nan
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

    @cached_property
    def _nothing(self) -> Column32:
        """What who did not take part says."""
        return _frozen(np.full(len(self._batch.items.ids), np.nan, np.float32))

    def _compute(self, names: tuple[str, ...]) -> None:
        """Columns of some names, all that are missing of the components together.

        Of a component that is not there none is kept: who runs later may bring what is missing now.

        Raises:
            KeyError: There is no such column.
        """
        took = Laps()
        plan = plan_of(names)
        for block in plan.blocks:
            columns, made = BLOCKS[block]
            if columns[0] not in self._known:
                self._keep(columns, made(self._batch, self._catalog, self._bundle))
        scores = [self._scores(*component) for component in plan.components]
        there = [place for place, told in enumerate(scores) if told is not None]
        if there:
            table = np.array([scores[place] for place in there])
            for says, wanted in plan.said.items():
                mine = [place for place in there if place in wanted]
                if not mine:
                    continue
                told = table if len(mine) == len(there) else table[[there.index(place) for place in mine]]
                self._keep([wanted[place] for place in mine], _SAYS[says](told, self._batch.offsets))
        if self.laps is not None:
            self.laps.within("features", took)

    def _keep(self, names: Sequence[str], columns: Column32) -> None:
        """Remembers columns, a row each, which many read from now on and nobody may change."""
        with self._keeping:
            start, stop = self._used, self._used + len(names)
            if stop > len(self._table):
                # Who reads the old one finds in it what was known.
                table = np.empty((2 * stop, self._table.shape[1]), np.float32)
                table[:start] = self._table[:start]
                self._table = table
            self._table[start:stop] = columns
            self._used = stop
            self._known.update(zip(names, range(start, stop), strict=True))

    def _scores(self, kind: str, name: str) -> Column32 | None:
        """What a ranker that ran, a source that was asked, or the shop itself says of the candidates."""
        batch = self._batch
        if kind == "item":
            return batch.items.popularity
        if kind == "ranker":
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
