"""The contract between Vitrine and a ranking plugin: this page is all of it.

A plugin is a module named by an entry point of the group ``vitrine.rankers``. It implements one hook,
`vitrine_make_ranker`, which is called once per loaded bundle and returns an object that follows the `Ranker`
protocol. The object's `score` is then called once per request or batch of requests, on whole columns.

    import numpy as np

    from vitrine.plugin import Batch, LoadContext, Ranker, Scores, hookimpl

    class Cheapest:
        name, version, reason = "cheapest", "1.0", None

        def score(self, batch: Batch) -> Scores:
            return -batch.items.price_micros.astype(np.float32)

    @hookimpl
    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        return Cheapest()

A ranker that raises, or returns the wrong length or infinities, is left out of that answer, which says so. One that
takes too long takes the time of the whole answer: the front then goes on without ranking. Rankers run in the server's
process, so install only what you trust.
Rankers run in the order of the scene's weights, its reranker last; one that reads the scores of others names them in
`after` and runs after these (`Follower`).
NaN for an item means "nothing to say about it". Scores are brought to the range 0 to 1 within each query before
they are weighted, so only their order and relative distances count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pluggy

from vitrine.bundle import AttachedBundle
from vitrine.domain.answer import ReasonCode
from vitrine.domain.profile import Profile
from vitrine.domain.request import Context
from vitrine.interest import Interests

PROJECT = "vitrine"
ENTRY_POINT_GROUP = "vitrine.rankers"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Scores = npt.NDArray[np.float32]


class MissingData(Exception):
    """Raised by `vitrine_make_ranker` when the bundle lacks what the ranker needs; the ranker is then off.

    The text says what is missing, for example "the bundle has no linear model".
    """


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What a ranker is made from.

    Attributes:
        bundle: The models, seen through the live catalogue; ``None`` when the server runs without a bundle.
        settings: The plugin's own table ``[plugins.NAME]`` of the configuration.
    """

    bundle: AttachedBundle | None
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Items:
    """Columns of n items. An item that the catalogue does not know has row −1 and empty values.

    Attributes:
        ids: n identifiers.
        rows: ``int32[n]``, rows of the catalogue in this process.
        bundle_rows: ``int32[n]``, rows of the bundle; −1 for an item that is newer than the bundle.
        price_micros: ``int64[n]``, 0 when not known.
        created: ``float64[n]``, Unix seconds.
        category: ``int32[n]``, code of the leaf category, −1 when it has none.
        brand: ``int32[n]``, code of the brand, −1 when it has none.
        popularity: ``float32[n]``, interest of all shoppers as a share of the most popular item's; NaN when not told.
        trend: ``float32[n]``, log2 of the latest interest ÷ the usual one; NaN when not known.
    """

    ids: Sequence[str]
    rows: npt.NDArray[np.int32]
    bundle_rows: npt.NDArray[np.int32]
    price_micros: npt.NDArray[np.int64]
    created: npt.NDArray[np.float64]
    category: npt.NDArray[np.int32]
    brand: npt.NDArray[np.int32]
    popularity: npt.NDArray[np.float32]
    trend: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class History:
    """What each query starts from: items of the shopper's history, then the items the window is about.

    Query q owns rows ``offsets[q]`` to ``offsets[q + 1]``, h rows in all.

    Attributes:
        offsets: ``int64[q + 1]``.
        ids: h identifiers.
        rows: ``int32[h]``, rows of the catalogue, −1 when unknown.
        bundle_rows: ``int32[h]``, rows of the bundle, −1 when unknown.
        weights: ``float64[h]``, how much each counts here; they sum to 1 within a query, or there are none.
        purchased: ``bool[h]``, whether the shopper bought the item.
    """

    offsets: npt.NDArray[np.int64]
    ids: Sequence[str]
    rows: npt.NDArray[np.int32]
    bundle_rows: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]
    purchased: npt.NDArray[np.bool_]


class FeatureColumns(Protocol):
    """Columns derived from a batch, for models: `vitrine.domain.columns` lists them. Each is computed once a batch."""

    def column(self, name: str, /) -> npt.NDArray[np.float32]:
        """``float32[n]``, NaN where there is nothing to say. Raises `KeyError` for an unknown name."""
        ...

    def matrix(self, names: Sequence[str], /) -> npt.NDArray[np.float32]:
        """``float32[n, f]``, in one piece by rows."""
        ...

    def interests(self) -> Interests | None:
        """What each of the q shoppers is interested in, as vectors; ``None`` when the bundle has no such model."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """q queries with n candidates in all; query q owns candidates ``offsets[q]`` to ``offsets[q + 1]``.

    Every array is read-only.

    Attributes:
        request_time: The moment to answer for, Unix seconds; never ask the system for the time.
        offsets: ``int64[q + 1]``.
        items: The candidates.
        history: What each query starts from.
        profiles: q profiles.
        contexts: q contexts.
        scenes: q names of scenes.
        source_names: The sources that retrieval asked.
        source_scores: ``float32[n, s]``, NaN where a source did not find the item.
        scores: Scores of the rankers that ran before this one, by name; see `Follower`.
        features: Columns derived from all this, for models.
    """

    request_time: float
    offsets: npt.NDArray[np.int64]
    items: Items
    history: History
    profiles: Sequence[Profile]
    contexts: Sequence[Context]
    scenes: Sequence[str]
    source_names: tuple[str, ...]
    source_scores: npt.NDArray[np.float32]
    scores: Mapping[str, Scores]
    features: FeatureColumns


@runtime_checkable
class Ranker(Protocol):
    """Scores candidates. `score` is called from several threads at once and must not change its input.

    Attributes:
        name: The name in the configuration, the same as the entry point's.
        version: Shown in every answer.
        reason: What a shopper is told when this ranker counted most for an item; ``None``: nothing.
    """

    name: str
    version: str
    reason: ReasonCode | None

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``: the higher the better, NaN for nothing to say."""
        ...


@runtime_checkable
class Explainer(Protocol):
    """A ranker that can also tell which item of the history speaks for a candidate."""

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """For m candidates of the batch, ``int64[m]`` rows of ``batch.history``; −1 where none stands out."""
        ...


@runtime_checkable
class Follower(Protocol):
    """A ranker that reads scores of others (`Batch.scores`, or columns of them): it runs after these.

    Attributes:
        after: Their names, whether or not they are there.
    """

    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What the scores of m candidates are made of: score = base + shares, added up.

    Attributes:
        columns: f names of feature columns (`vitrine.features`).
        values: ``float32[m, f]``, what the model saw; NaN where there was nothing.
        shares: ``float32[m, f]``, what each column added to each score; below 0 it took away.
        base: The score of a candidate of whom nothing is known.
    """

    columns: tuple[str, ...]
    values: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float32]
    base: float


@runtime_checkable
class Attributor(Protocol):
    """A ranker that can also tell what its scores are made of. Reasons come from that where it decides the order.

    Attributes:
        groups: What `group_shares` tells apart: groups of feature columns (`vitrine.features.Column.group`), where the
            columns of a ranker's scores are a group of its name.
    """

    groups: tuple[str, ...]

    def group_shares(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Scores:
        """For m candidates of the batch, ``float32[m, len(groups)]``: asked for every answer, so it must be quick."""
        ...

    def attribute(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Attribution:
        """For m candidates of the batch, column by column and exactly: asked when somebody wants to know."""
        ...


@hookspec(firstresult=True)
def vitrine_make_ranker(load: LoadContext) -> Ranker | None:
    """Makes the ranker for a bundle. Called at start and for every new bundle, never during a request.

    Raises:
        MissingData: The bundle lacks what the ranker needs.
    """
