"""Where feature columns come from: blocks that are computed whole, and what rankers and sources say."""

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
POPULARITY = ("item.popularity", "item.popularity_rank")

# Columns have the same number in all batches: blocks theirs in one piece, others when they are first heard of.
_numbers = {name: number for number, name in enumerate(n for columns, _ in BLOCKS.values() for n in columns)}
_numbering = threading.Lock()


class Component(NamedTuple):
    """What says something of candidates: two columns, which are made together.

    Attributes:
        kind: "ranker", "source", or "item" for the shop itself.
        name: Its name.
        share: The number of the column that has its scores as shares.
        rank: That of the one that has them as places.
    """

    kind: str
    name: str
    share: int
    rank: int


class Plan(NamedTuple):
    """Where some columns come from.

    Attributes:
        numbers: ``int64[f]``, that of each column.
        needed: The same, as a set.
        blocks: The blocks that some are of, and where each stands among the numbers.
        components: Of whom some are, each once.
    """

    numbers: npt.NDArray[np.int64]
    needed: frozenset[int]
    blocks: Mapping[str, range]
    components: tuple[Component, ...]


def numbers_of(names: Iterable[str]) -> list[int]:
    """The numbers of some columns."""
    with _numbering:
        return [_numbers.setdefault(name, len(_numbers)) for name in names]


# Models name the same few hundred for as long as they are served.
@lru_cache(maxsize=256)
def plan_of(names: tuple[str, ...]) -> Plan:
    """Where columns of some names come from.

    Raises:
        KeyError: There is no such column.
    """
    blocks: set[str] = set()
    components: dict[Component, None] = {}
    for name in names:
        kind, _, rest = name.partition(":")
        if name in POPULARITY:
            components[Component("item", "popularity", *numbers_of(POPULARITY))] = None
        elif not rest:
            block = name.partition(".")[0]
            if block not in BLOCKS or name not in BLOCKS[block][0]:
                raise KeyError(name)
            blocks.add(block)
        else:
            column(name)
            if kind != "plugin":
                who = rest.rpartition(".")[0]
                both = numbers_of((f"{kind}:{who}.share", f"{kind}:{who}.rank"))
                components[Component(kind, who, *both)] = None
    numbers = numbers_of(names)
    return Plan(
        np.array(numbers, np.int64),
        frozenset(numbers),
        {block: _places(BLOCKS[block][0]) for block in BLOCKS if block in blocks},
        tuple(components),
    )


def _places(columns: tuple[str, ...]) -> range:
    return range(_numbers[columns[0]], _numbers[columns[0]] + len(columns))
