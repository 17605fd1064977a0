"""By popularity: which targets are found, and what the windows are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine_export.evaluate.lists import ItemSets, Lists
from vitrine_export.evaluate.metrics import hits
from vitrine_export.evaluate.page.compose.kinds import drawn
from vitrine_export.evaluate.page.parts import Figure, Kind, Plot, Series
from vitrine_export.evaluate.page.words import counted
from vitrine_export.evaluate.report import PIPELINE

_NAMES = ("head", "middle", "tail", "never taken")


@dataclass(frozen=True, slots=True)
class Shelves:
    """Items by popularity.

    Attributes:
        shelf: ``int8[n]``: 0 for the head, 1 for the middle, 2 for the tail, 3 for what was never taken before.
        least: How often an item of head, middle and tail was taken at least.
    """

    shelf: npt.NDArray[np.int8]
    least: tuple[int, int, int]

    @classmethod
    def of(cls, taken: npt.NDArray[np.integer] | npt.NDArray[np.floating]) -> "Shelves":
        """Thirds of all that was taken: the most popular items that make up a third of it are the head.

        Items that were taken equally often stand together, so that nothing but popularity decides.

        Args:
            taken: ``[n]``, how often each item was taken before.
        """
        counts, sizes = np.unique(taken[taken > 0], return_counts=True)
        # What items that were taken more often than each count make up.
        mass = (counts * sizes)[::-1].cumsum()[::-1]
        above = (mass - counts * sizes) / max(float(mass[0]), 1.0) if len(counts) else np.empty(0)
        heads, middles = counts[above < 1 / 3], counts[above < 2 / 3]
        first = heads.min() if len(heads) else 1
        second = middles.min() if len(middles) else 1
        shelf = np.select([taken >= first, taken >= second, taken > 0], [0, 1, 2], 3).astype(np.int8)
        last = counts.min() if len(counts) else 1
        return cls(shelf, (int(np.ceil(first)), int(np.ceil(second)), int(np.ceil(last))))


def by_popularity(
    methods: Mapping[str, Lists],
    targets: ItemSets,
    taken: npt.NDArray[np.integer] | npt.NDArray[np.floating],
    k: int,
) -> Figure:
    """Which share of the targets is found, and which share of the windows is filled, by popularity of the item.

    Args:
        methods: The lists of each method.
        targets: What each query took.
        taken: ``[n]``, how often each item was taken before, by code.
        k: How many places count.
    """
    shelves = Shelves.of(taken)
    place = shelves.shelf[targets.items]
    wanted = np.bincount(place, minlength=4)
    some = [i for i in range(4) if wanted[i]]
    found = {name: _found(lists, targets, shelves, k) for name, lists in methods.items()}
    total = max(int(wanted.sum()), 1)
    shown = drawn({name: float(counts.sum()) / total for name, counts in found.items()})
    items = np.bincount(shelves.shelf, minlength=4)
    xs, names = [float(i) for i in range(len(some))], [_NAMES[i] for i in some]
    plots = [
        Plot(
            f"Share of the targets found in {k} places",
            xs,
            "popularity of the target",
            [Series(name, [float(found[name][i] / wanted[i]) for i in some], _kind(name)) for name in shown],
            names,
            [f"{wanted[i]:,} targets" for i in some],
        ),
        Plot(
            "Share of the places in the windows",
            xs,
            "popularity of what is shown",
            [
                *(Series(name, _filled(methods[name], shelves, k, some), _kind(name)) for name in shown),
                Series("what was taken", [float(wanted[i] / total) for i in some], Kind.REFERENCE),
            ],
            names,
            [f"{items[i]:,} items" for i in some],
        ),
    ]
    return Figure("By popularity", _how(shelves, k), plots if some else [])


def _how(shelves: Shelves, k: int) -> str:
    first, second, _ = shelves.least
    return (
        "Items in thirds of all that was taken before the test: the head are the few that were taken "
        f"{counted(first, 'time')} or more, the middle those taken {counted(second, 'time')} or more, the tail the rest. "
        "Left: how much of what shoppers took was found, by how popular it was; each target counts the same. Right: what "
        f"the first {k} places are filled with, beside what was taken: a method that stands far above it at the head "
        "shows everybody the same."
    )


def _kind(name: str) -> Kind:
    return Kind.PIPELINE if name == PIPELINE else Kind.BASELINE


def _found(lists: Lists, targets: ItemSets, shelves: Shelves, k: int) -> npt.NDArray[np.int64]:
    """``int64[4]``: targets that are found, by shelf."""
    return np.bincount(shelves.shelf[lists.items[:, :k][hits(lists, targets, k)]], minlength=4)


def _filled(lists: Lists, shelves: Shelves, k: int, some: Sequence[int]) -> list[float]:
    places = lists.items[:, :k]
    counts = np.bincount(shelves.shelf[places[places >= 0]], minlength=4)
    return [float(counts[i] / max(int(counts.sum()), 1)) for i in some]
