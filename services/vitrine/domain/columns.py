"""Which feature columns there are. A model's bundle pins their names and versions.

All are scale-free (shares, ranks, ages, logarithms of counts), so that a model that was fitted on an earlier part of
the history serves a later one, and a small shop's model is not confused by a large number.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Column:
    """One feature column, ``float32``, NaN where it says nothing.

    Attributes:
        name: ``block.column``; columns of a block are computed together. ``ranker:NAME.share``, ``source:NAME.rank`` and
            the like; ``plugin:PLUGIN.COLUMN`` where a plugin contributes it.
        group: What it speaks of; shares in a score are added up by group.
        text: What it is, in words.
        version: Changes when its meaning does.
    """

    name: str
    group: str
    text: str
    version: int = 1

    @property
    def key(self) -> str:
        """As pinned by a bundle: ``name:dtype:version``."""
        return f"{self.name}:f4:{self.version}"


_NOTHING: Mapping[str, Column] = MappingProxyType({})

# What goes with what in a bundle: model, group, and how items go together by it.
_RELATIONS = (
    ("follows", "follows", "how often it comes soon after"),
    ("co_visitation", "cf", "how often shoppers turn to it who turn to"),
    ("linear", "cf", "how well it is foretold by"),
    ("factors", "factors", "how alike the company is of it and"),
    ("content", "content", "how much it resembles"),
)

_COLUMNS = (
    Column("shopper.events", "shopper", "how much the shopper did in the shop"),
    Column("shopper.purchase_days", "shopper", "on how many days the shopper bought"),
    Column("shopper.idle_days", "shopper", "days since the shopper was last seen"),
    Column("shopper.tenure_days", "shopper", "days since the shopper was first seen"),
    Column("shopper.items", "shopper", "how many items the shopper knows"),
    Column("shopper.basket", "shopper", "items the shopper buys on one day"),
    Column("shopper.gap_days", "shopper", "days between the shopper's purchases"),
    Column("shopper.repeats", "shopper", "how much of what the shopper buys is bought again"),
    Column("context.seeds", "context", "items that the window is about"),
    Column("history.purchases", "history", "how often it was bought before"),
    Column("history.days_share", "history", "share of the shopper's buying days on which it was bought"),
    Column("history.quantity", "history", "pieces bought at a time"),
    Column("history.views", "history", "how often it was looked at before"),
    Column("history.in_cart", "history", "whether it lies in the basket"),
    Column("history.age_days", "history", "days since the shopper last turned to it"),
    Column("history.purchase_age_days", "history", "days since it was last bought"),
    Column("history.purchase_age_gaps", "history", "the same, in the shopper's usual gaps between purchases"),
    Column(
        "history.purchase_lag_days", "history", "days between its last purchase and the shopper's last one"
    ),
    Column("history.long_share", "history", "long-term interest, against the shopper's favourite item"),
    Column("history.long_rank", "history", "its place among the shopper's items by long-term interest"),
    Column(
        "history.short_share", "history", "short-term interest, against the shopper's favourite of these days"
    ),
    Column("history.rating", "history", "the stars that the shopper gave it"),
    Column("history.liked", "history", "whether the shopper liked it"),
    Column("taste.category", "taste", "the shopper's interest in its category"),
    Column("taste.category_now", "taste", "the shopper's latest interest in its category"),
    Column("taste.top_category", "taste", "the shopper's interest in its department"),
    Column("taste.brand", "taste", "the shopper's interest in its brand"),
    Column("taste.price_band", "taste", "the shopper's interest in its price range"),
    Column("taste.price_gap", "taste", "its price against what the shopper usually looks at"),
    Column("item.age_days", "newness", "days since it came into the shop"),
    Column("item.price", "item", "its price against the other candidates"),
    Column("item.popularity", "popularity", "how popular it is, against the most popular candidate"),
    Column("item.popularity_rank", "popularity", "its place among the candidates by popularity"),
    Column("item.trend", "trend", "whether interest in it is rising"),
    Column("item.found_by", "item", "how many sources found it"),
    Column("sequence.since", "history", "how many steps ago the shopper was last there"),
    Column("sequence.first", "history", "how many steps ago the shopper was there first"),
    Column(
        "sequence.after_latest", "history", "how often the shopper went there right after the latest item"
    ),
    Column("sequence.times", "history", "how often it is among the latest steps"),
    Column("sequence.visit_times", "history", "how often it was met on this visit"),
    Column("sequence.visit_share", "history", "share of the steps of this visit that led there"),
    Column("sequence.visits", "visits", "how strongly the past visits most like this one speak for it"),
    Column("sequence.visit_events", "shopper", "how long this visit is"),
    Column("sequence.visit_repeats", "shopper", "how much of this visit goes back to what was met on it"),
    *(
        Column(f"sequence.{model}_{says}", group, f"{how} {what}")
        for model, group, how in _RELATIONS
        for says, what in (
            ("latest", "the latest item"),
            ("latest3", "one of the latest three items"),
            ("faded", "the latest items, the less the longer ago"),
        )
    ),
    *(
        Column(f"relation.{model}_{says}", group, f"{how} {what}")
        for model, group, how in _RELATIONS
        if model not in {"follows", "factors"}
        for says, what in (
            ("max", "the item of the history that it goes with best"),
            ("mean", "the items of the history, on average"),
            ("share", "items of the history: of how many that is true at all"),
        )
    ),
)
_BY_NAME = {c.name: c for c in _COLUMNS}

# Columns that need no model: any data set has them, as far as its own columns go.
ALWAYS = tuple(c.name for c in _COLUMNS)

# Those that mean nothing where events have no times, and those that mean nothing where they have no order either.
TIMED = frozenset(
    (
        "shopper.purchase_days",
        "shopper.idle_days",
        "shopper.tenure_days",
        "shopper.basket",
        "shopper.gap_days",
        "history.days_share",
        "history.age_days",
        "history.purchase_age_days",
        "history.purchase_age_gaps",
        "history.purchase_lag_days",
        "history.long_share",
        "history.long_rank",
        "history.short_share",
        "taste.category_now",
        "item.age_days",
        "item.trend",
    )
)
ORDERED = frozenset(name for name in ALWAYS if name.startswith("sequence."))

# What a ranker or a source adds: its score as a share of the best, and its place; and what a plugin contributes.
_NAME = "[A-Za-z0-9_-]{1,64}"
_COMPONENT = re.compile(rf"(ranker|source):({_NAME})\.(share|rank)")
_PLUGIN = re.compile(rf"plugin:({_NAME})\.([a-z0-9_]{{1,64}})")
_KEY = re.compile(r"(.+):f4:([0-9]{1,9})")
_SOURCE_GROUPS = {
    "popular": "popularity",
    "trending": "trend",
    "bought_again": "history",
    "seen_again": "history",
    "linear": "cf",
    "new_arrivals": "newness",
    "co_visitation": "cf",
}
_SAYS = {"share": "the score of", "rank": "the place given by"}


def available(*, has_times: bool, has_order: bool) -> tuple[str, ...]:
    """The columns that any data set with such events has, as far as its own columns go."""
    gone = (frozenset() if has_times else TIMED) | (frozenset() if has_order else ORDERED)
    return tuple(name for name in ALWAYS if name not in gone)


# Models name the same few hundred for as long as they are served.
@lru_cache(maxsize=4096)
def column(name: str) -> Column:
    """The column of a name; of one that a plugin contributes, with words that any such column has, and version 1.

    Raises:
        KeyError: There is no such column in this version of Vitrine.
    """
    known = _BY_NAME.get(name)
    if known is not None:
        return known
    if found := _COMPONENT.fullmatch(name):
        kind, component, says = found.groups()
        group = _SOURCE_GROUPS.get(component, component) if kind == "source" else component
        return Column(name, group, f"{_SAYS[says]} {kind} '{component}'")
    if found := _PLUGIN.fullmatch(name):
        plugin, told = found.groups()
        return Column(name, plugin, f"what plugin '{plugin}' calls {told}")
    raise KeyError(name)


def contributed_name(plugin: str, name: str) -> str:
    """What a column that a plugin contributes is called everywhere but in that plugin."""
    return f"plugin:{plugin}.{name}"


def component_columns(names: Iterable[str]) -> tuple[str, ...]:
    """The columns of some components, given as ``ranker:NAME`` and ``source:NAME``."""
    return tuple(f"{name}.{says}" for name in names for says in ("share", "rank"))


def rankers_in(names: Iterable[str]) -> tuple[str, ...]:
    """The rankers whose scores some columns are made of."""
    found = (_COMPONENT.fullmatch(name) for name in names)
    return tuple(dict.fromkeys(f[2] for f in found if f is not None and f[1] == "ranker"))


def plugins_in(names: Iterable[str]) -> tuple[str, ...]:
    """The plugins that contribute some columns."""
    found = (_PLUGIN.fullmatch(name) for name in names)
    return tuple(dict.fromkeys(f[1] for f in found if f is not None))


def keys_of(names: Iterable[str], contributed: Mapping[str, Column] = _NOTHING) -> list[str]:
    """The keys that pin columns in a bundle; those that plugins contribute tell their own version."""
    return [(contributed.get(name) or column(name)).key for name in names]


def problem(keys: Sequence[str]) -> str:
    """Why a model cannot be used here, going by the columns that its bundle pins; empty when it can.

    Columns that plugins contribute are no reason: what is not there is missing (`vitrine.features.contributed`).
    """
    for key in keys:
        found = _KEY.fullmatch(key)
        if found is None:
            return f"the feature column '{key}' is not written as name:f4:version"
        name = found[1]
        try:
            here = column(name).key
        except KeyError:
            return f"the feature column '{name}' is not known here"
        if here != key and not plugins_in([name]):
            return f"the feature column '{name}' has another version here: {here} instead of {key}"
    return ""


def names_of(keys: Iterable[str]) -> tuple[str, ...]:
    """The names of columns that a bundle pins."""
    return tuple(key.rpartition(":f4:")[0] for key in keys)


def pinned(keys: Iterable[str]) -> dict[str, dict[str, int]]:
    """Which columns of which plugins a bundle pins: plugin -> name -> version."""
    plugins: dict[str, dict[str, int]] = {}
    for key in keys:
        name, _, version = key.rpartition(":f4:")
        for plugin in plugins_in([name]):
            plugins.setdefault(plugin, {})[name] = int(version)
    return plugins
