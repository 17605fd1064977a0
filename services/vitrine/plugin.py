"""The contract between Vitrine and a ranking plugin, version 1: this page is all of it.

A plugin is a module named by an entry point of the group ``vitrine.rankers``. It says for which version of this page it
was written and implements one or more of the three hooks at the end. The shortest one:

    import numpy as np

    from vitrine.plugin import Batch, LoadContext, Ranker, Scores, hookimpl

    VITRINE_CONTRACT = 1

    class Cheapest:
        name, version, reason, budget_ms = "cheapest", "1.0", None, 5.0

        def score(self, batch: Batch) -> Scores:
            return -batch.items.price_micros.astype(np.float32)

    @hookimpl
    def vitrine_make_ranker(load: LoadContext) -> Ranker:
        return Cheapest()

**When.** `vitrine_make_ranker` is called at start and for every new bundle, never during a request. `score` is called
once per request or batch of requests, on whole columns, in the order of the scene's weights, the reranker last; one that
reads what others say names them in `after` (`Follower`).

**What it may do.** Read everything that it is given and change none of it: arrays are read-only. It is called from
several threads at once, and never told the time but by `Batch.request_time`.

**What it answers.** ``float32[n]``, finite; NaN for "nothing to say about this item" is understood of one that declares
`Partial`. Scores are brought to the range 0 to 1 within each query before they are weighted, so only their order and
relative distances count.

**When it fails.** A ranker that raises, answers anything else, or takes longer than its budget is left out of that answer,
which says so under ``degraded`` and goes on with the others. It is counted; after repeated failures it is not called for a
while, and then tried again. What spins, holds the interpreter's lock, leaks or crashes harms the whole server and can be
bounded only in a process of its own: ``isolation = "process"`` under ``[plugins.NAME]``, and nothing changed here.

**Try it.** `vitrine plugin new NAME` writes a package; `vitrine.testing.RankerContract` tests it against this page;
`vitrine plugin try NAME --data DATA` shows what it is worth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pluggy
from pydantic import BaseModel

from vitrine.bundle import AttachedBundle
from vitrine.domain.answer import ReasonCode
from vitrine.domain.profile import Profile
from vitrine.domain.request import Context
from vitrine.interest import Interests

# What a plugin's VITRINE_CONTRACT must be: the number itself, not this name, which would always be right.
CONTRACT = 1
PROJECT = "vitrine"
ENTRY_POINT_GROUP = "vitrine.rankers"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
Scores = npt.NDArray[np.float32]


class MissingData(Exception):
    """Raised by a hook when the bundle lacks what the plugin needs; the plugin is then off.

    The text says what is missing, for example "the bundle has no linear model". Answers carry it.
    """


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What a ranker is made from.

    Attributes:
        bundle: The models, seen through the live catalogue; ``None`` when the server runs without a bundle. In a process
            of its own a plugin has the files of the bundle; what follows the catalogue raises `MissingData` there.
        settings: The table ``[plugins.NAME.settings]`` of the configuration, as the model that `vitrine_settings`
            answered; as it stands in the file (a mapping) for a plugin without that hook.
    """

    bundle: AttachedBundle | None
    settings: Any


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


@dataclass(frozen=True, slots=True)
class Recent:
    """The latest events of each query in order, oldest first; what the window is about counts as the very latest.

    Query q owns rows ``offsets[q]`` to ``offsets[q + 1]``, r rows in all. An item that came twice stands twice.

    Attributes:
        offsets: ``int64[q + 1]``.
        rows: ``int32[r]``, rows of the catalogue, −1 when unknown.
        bundle_rows: ``int32[r]``, rows of the bundle, −1 when unknown.
        steps: ``int32[r]``, how many events came after: 0 for the latest.
        visit: ``bool[r]``, whether the event belongs to the visit that goes on.
    """

    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    bundle_rows: npt.NDArray[np.int32]
    steps: npt.NDArray[np.int32]
    visit: npt.NDArray[np.bool_]


class FeatureColumns(Protocol):
    """Columns derived from a batch, for models: `vitrine.domain.columns` lists them. Each is computed once a batch."""

    def column(self, name: str, /) -> npt.NDArray[np.float32]:
        """``float32[n]``, NaN where there is nothing to say. Raises `KeyError` for an unknown name."""

    def matrix(self, names: Sequence[str], /) -> npt.NDArray[np.float32]:
        """``float32[n, f]``, in one piece by rows."""

    def interests(self) -> Interests | None:
        """What each of the q shoppers is interested in, as vectors; ``None`` when the bundle has no such model."""


@dataclass(frozen=True, slots=True)
class Batch:
    """q queries with n candidates in all; query q owns candidates ``offsets[q]`` to ``offsets[q + 1]``.

    Every array is read-only.

    Attributes:
        request_time: The moment to answer for, Unix seconds; never ask the system for the time.
        offsets: ``int64[q + 1]``.
        items: The candidates.
        history: What each query starts from.
        recent: What happened last, in order.
        profiles: q profiles.
        contexts: q contexts.
        scenes: q names of scenes.
        source_names: The sources that retrieval asked.
        source_scores: ``float32[n, s]``, NaN where a source did not find the item.
        scores: ``float32[n]`` of each ranker that ran before this one, by name; see `Follower`.
        features: Columns derived from all this, for models.
    """

    request_time: float
    offsets: npt.NDArray[np.int64]
    items: Items
    history: History
    recent: Recent
    profiles: Sequence[Profile]
    contexts: Sequence[Context]
    scenes: Sequence[str]
    source_names: tuple[str, ...]
    source_scores: npt.NDArray[np.float32]
    scores: Mapping[str, Scores]
    features: FeatureColumns


@runtime_checkable
class Ranker(Protocol):
    """Scores candidates. Plain attributes do for the properties."""

    @property
    def name(self) -> str:
        """The name in the configuration, the same as the entry point's."""

    @property
    def version(self) -> str:
        """Shown in every answer."""

    @property
    def reason(self) -> ReasonCode | None:
        """What a shopper is told when this ranker counted most for an item; ``None``: nothing."""

    @property
    def budget_ms(self) -> float:
        """Milliseconds that a call with up to 1,000 candidates may take before the answer goes on without it.

        With more candidates, in proportion. The configuration may say otherwise, and no call gets more than half of the
        time that its request has left. A call that is late is left behind within 10 ms.
        """

    def score(self, batch: Batch) -> Scores:
        """``float32[n]``: the higher the better."""


@runtime_checkable
class Partial(Protocol):
    """A ranker that may have nothing to say about some items."""

    @property
    def partial(self) -> bool:
        """Whether NaN among its scores means that; of any other ranker it is a fault."""


@runtime_checkable
class Explainer(Protocol):
    """A ranker that can also tell which item of the history speaks for a candidate."""

    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """For m candidates of the batch, ``int64[m]`` rows of ``batch.history``; −1 where none stands out."""


@runtime_checkable
class Follower(Protocol):
    """A ranker that reads what others say: `Batch.scores`, or columns of these, or columns that a plugin contributes."""

    @property
    def after(self) -> tuple[str, ...]:
        """Names of those rankers and of those plugins, whether or not they are there. It runs after them."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What the scores of m candidates are made of: score = base + shares, added up.

    Attributes:
        columns: f names of feature columns (`vitrine.domain.columns`).
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
    """A ranker that can also tell what its scores are made of. Reasons come from that where it decides the order."""

    @property
    def groups(self) -> tuple[str, ...]:
        """What `group_shares` tells apart: groups of feature columns; those of a ranker's scores are one of its name."""

    def group_shares(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Scores:
        """For m candidates of the batch, ``float32[m, len(groups)]``: asked for every answer, so it must be quick."""

    def attribute(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Attribution:
        """For m candidates of the batch, column by column and exactly: asked when somebody wants to know."""


@dataclass(frozen=True, slots=True)
class FeatureColumn:
    """A column that a plugin contributes; models know it as ``plugin:PLUGIN.NAME``.

    Attributes:
        name: Lower-case letters, digits and underscores.
        text: What it is, in words, for explanations.
        version: Change it when the meaning changes: models that learned from another version go without.
    """

    name: str
    text: str
    version: int = 1


@runtime_checkable
class FeatureBlock(Protocol):
    """Columns for the rerankers to learn from, in training and in serving alike; computed before any ranker runs.

    A column that cannot be had is NaN, which the rerankers have met in training, and the answer says so.
    """

    @property
    def columns(self) -> tuple[FeatureColumn, ...]:
        """The columns."""

    @property
    def budget_ms(self) -> float:
        """As for `Ranker`."""

    def compute(self, batch: Batch) -> Mapping[str, Scores]:
        """``float32[n]`` by name of each of `columns`, NaN for nothing to say; `Batch.scores` is empty."""


@hookspec(firstresult=True)
def vitrine_settings() -> type[BaseModel] | None:
    """Answers the model of the plugin's settings, so that mistakes in the configuration are found and named."""


@hookspec(firstresult=True)
def vitrine_make_ranker(load: LoadContext) -> Ranker | None:
    """Makes the ranker for a bundle. Called at start and for every new bundle, never during a request.

    Raises:
        MissingData: The bundle lacks what the ranker needs.
    """


@hookspec(firstresult=True)
def vitrine_make_features(load: LoadContext) -> FeatureBlock | None:
    """Makes the feature columns for a bundle. Called as `vitrine_make_ranker` is, and in training.

    Training learns from those of plugins that the configuration names in ``features``, at first without a bundle.

    Raises:
        MissingData: The bundle lacks what the columns need.
    """
