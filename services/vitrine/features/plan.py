"""Where feature columns come from: blocks that are computed whole, and what rankers and sources say."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.domain.columns import column
from vitrine.features import context, history, items, relation, sequence, shopper, taste
from vitrine.features.scale import Column32
from vitrine.plugin import Batch

# The columns of each block, and what makes them: ``float32[c, n]``. What models of a bundle say is NaN without one.
_Make = Callable[[Batch, Catalog, AttachedBundle | None], Column32]
BLOCKS: dict[str, tuple[tuple[str, ...], _Make]] = {
    "shopper": (shopper.COLUMNS, shopper.columns),
    "context": (context.COLUMNS, context.columns),
    "history": (history.COLUMNS, history.columns),
    "taste": (taste.COLUMNS, taste.columns),
    "item": (items.COLUMNS, items.columns),
    # Before the latest items the whole history: most of what is found for those is among what was found for it.
    "relation": (relation.COLUMNS, relation.columns),
    "sequence": (sequence.COLUMNS, sequence.columns),
}
# Columns that say of the list what components say of it, and so are made with theirs.
POPULARITY = {"item.popularity": "share", "item.popularity_rank": "rank"}

# What says something of candidates: a ranker, a source, or the shop ("item", "popularity"), and its name.
Component = tuple[str, str]


class Plan(NamedTuple):
    """Where some columns come from.

    Attributes:
        blocks: The blocks that some are of.
        components: What says something of candidates, each once.
        said: "share" and "rank", and for each the columns that are what a component says on that scale, by its place.
    """

    blocks: tuple[str, ...]
    components: tuple[Component, ...]
    said: Mapping[str, Mapping[int, str]]


# Models name the same few hundred for as long as they are served.
@lru_cache(maxsize=256)
def plan_of(names: tuple[str, ...]) -> Plan:
    """Where columns of some names come from.

    Raises:
        KeyError: There is no such column.
    """
    blocks: set[str] = set()
    components: dict[Component, int] = {}
    said: dict[str, dict[int, str]] = {}
    for name in names:
        kind, _, rest = name.partition(":")
        if name in POPULARITY:
            component, says = ("item", "popularity"), POPULARITY[name]
        elif not rest:
            block = name.partition(".")[0]
            if block not in BLOCKS or name not in BLOCKS[block][0]:
                raise KeyError(name)
            blocks.add(block)
            continue
        else:
            column(name)
            component, says = (kind, rest.rpartition(".")[0]), rest.rpartition(".")[2]
        if kind != "plugin":
            said.setdefault(says, {})[components.setdefault(component, len(components))] = name
    return Plan(tuple(block for block in BLOCKS if block in blocks), tuple(components), said)
