"""The columns of one batch, each block computed when one of its columns is first asked for."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.columns import column as column_of
from vitrine.domain.columns import contributed_name
from vitrine.domain.stages import Laps
from vitrine.errors import InferenceError, InferenceTimeout
from vitrine.features import context, history, items, relation, sequence, shopper, taste
from vitrine.features.scale import places, shares
from vitrine.interest import Interests
from vitrine.plugin import Batch

Column32 = npt.NDArray[np.float32]
Block = Mapping[str, Column32]

_BLOCKS: dict[str, Callable[[Batch, Catalog], Block]] = {
    "shopper": shopper.columns,
    "context": context.columns,
    "history": history.columns,
    "taste": taste.columns,
    "item": items.columns,
}
# Blocks that read the models of the bundle, too; without one their columns say nothing.
_MODEL_BLOCKS: dict[str, Callable[[Batch, Catalog, AttachedBundle | None], Block]] = {
    "sequence": sequence.columns,
    "relation": relation.columns,
}
_SAYS = {"share": shares, "rank": places}


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
        self._known: dict[str, Column32] = {}
        self._interests: Interests | InferenceError | InferenceTimeout | None = None
        self.laps: Laps | None = None

    def put(self, plugin: str, columns: Block) -> None:
        """Takes in what a plugin contributes: ``float32[n]`` by name of its columns, which were checked.

        It may use its arrays again: copies are kept.
        """
        self._keep({contributed_name(plugin, name): values.copy() for name, values in columns.items()})

    def column(self, name: str) -> Column32:
        """``float32[n]``, read-only, NaN where there is nothing to say.

        All NaN for a ranker, source or plugin that did not take part.

        Raises:
            KeyError: There is no such column.
        """
        known = self._known.get(name)
        if known is None:
            self._compute((name,))
            known = self._known.get(name)
        return self._nothing if known is None else known

    def matrix(self, names: Sequence[str]) -> Column32:
        """``float32[n, f]``, in one piece by rows: the columns of some names."""
        n, known = len(self._batch.items.ids), self._known
        missing = [name for name in names if name not in known]
        if missing:
            self._compute(missing)
        if not names:
            return np.empty((n, 0), np.float32)
        nothing = self._nothing
        columns = np.concatenate([known.get(name, nothing) for name in names])
        return np.ascontiguousarray(columns.reshape(len(names), n).T)

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

    def _compute(self, names: Sequence[str]) -> None:
        """Columns of some names, all that are missing of the components together.

        Of a component that is not there none is kept: who runs later may bring what is missing now.

        Raises:
            KeyError: There is no such column.
        """
        took = Laps()
        said: dict[str, dict[str, Column32]] = {}
        for name in names:
            place = _place(name)
            if place.says:
                scores = self._scores(place.kind, place.component)
                if scores is not None:
                    said.setdefault(place.says, {})[name] = scores
            elif name not in self._known:
                self._keep(self._block(place.kind))
                if name not in self._known:
                    raise KeyError(name)
        for says, columns in said.items():
            table = _SAYS[says](np.array(list(columns.values())), self._batch.offsets)
            self._keep(dict(zip(columns, table, strict=True)))
        if self.laps is not None:
            self.laps.within("features", took)

    def _block(self, name: str) -> Block:
        """The columns of a block.

        Raises:
            KeyError: There is no such block.
        """
        if name in _MODEL_BLOCKS:
            return _MODEL_BLOCKS[name](self._batch, self._catalog, self._bundle)
        return _BLOCKS[name](self._batch, self._catalog)

    def _keep(self, columns: Block) -> None:
        """Remembers columns, which many read from now on and nobody may change."""
        for values in columns.values():
            values.flags.writeable = False
        self._known.update(columns)

    def _scores(self, kind: str, name: str) -> Column32 | None:
        """What a ranker that ran, or a source that was asked, says of the candidates."""
        batch = self._batch
        if kind == "plugin":
            return None
        if kind == "ranker":
            return batch.scores.get(name)
        return batch.source_scores[:, batch.source_names.index(name)] if name in batch.source_names else None


class _Place(NamedTuple):
    """Where a column comes from: a block, or what a component ("ranker", "source", "plugin") says, and as what."""

    kind: str
    component: str = ""
    says: str = ""


# Models name the same few hundred for as long as they are served.
@lru_cache(maxsize=4096)
def _place(name: str) -> _Place:
    kind, _, rest = name.partition(":")
    if not rest:
        return _Place(name.partition(".")[0])
    column_of(name)
    component, _, says = rest.rpartition(".")
    return _Place(kind, component, says)


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
