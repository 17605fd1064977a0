"""Names of categories as numbers, for tables that are looked up by the codes of candidates."""

import threading
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from vitrine.catalog import Catalog
from vitrine.domain.items import CATEGORY_SEPARATOR

Codes = npt.NDArray[np.int32]


class CategoryNames:
    """The category paths of a catalogue and their departments, by name; it grows with the catalogue.

    Attributes:
        paths: Code of each path.
        departments: Number of each department, the first level of a path.
        department: ``int32[c + 1]``, that of each of c paths; the last cell, for an item without a path, says −1.
    """

    __slots__ = ("department", "departments", "paths")

    def __init__(self, names: list[str]) -> None:
        self.paths = {name: code for code, name in enumerate(names)}
        tops = [name.partition(CATEGORY_SEPARATOR)[0] for name in names]
        self.departments = {top: number for number, top in enumerate(dict.fromkeys(tops))}
        self.department: Codes = np.array([*(self.departments[top] for top in tops), -1], np.int32)


_known: "WeakKeyDictionary[Catalog, CategoryNames]" = WeakKeyDictionary()
_lock = threading.Lock()


def category_names(catalog: Catalog) -> CategoryNames:
    """Those of a catalogue, made anew only where it has got more of them; at least those that it has now."""
    found = _known.get(catalog)
    if found is None or len(found.paths) < len(catalog.categories):
        found = CategoryNames(list(catalog.categories))
        with _lock:
            _known[catalog] = found
    return found
