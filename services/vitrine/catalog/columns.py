"""The columns of the catalogue, and the filters on them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.domain.items import Item, category_levels
from vitrine.domain.request import Filters

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int32]
_NO_ROWS: Rows = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class Columns:
    """n rows of the catalogue, one array per attribute; all of the same length, so safe to combine.

    Attributes:
        sellable: ``bool[n]``, whether the item may be recommended.
        price_micros: ``int64[n]``, 0 when not known.
        created: ``float64[n]``, Unix seconds UTC, 0 when not known.
        category: ``int32[n]``, code of the full category path, −1 for none.
        brand: ``int32[n]``, code of the brand, −1 for none.
        tie: ``uint64[n]``, `vitrine.domain.ids.tie_keys`.
        text_hash: ``uint64[n]``, `vitrine.content.text.text_hashes`; written after the item itself, so that who reads
            first this and then the item has a text that is as new.
    """

    sellable: Mask
    price_micros: npt.NDArray[np.int64]
    created: npt.NDArray[np.float64]
    category: Rows
    brand: Rows
    tie: npt.NDArray[np.uint64]
    text_hash: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.sellable)

    @classmethod
    def empty(cls, capacity: int) -> "Columns":
        """``capacity`` rows of items that nobody may see."""
        return cls(
            np.zeros(capacity, np.bool_),
            np.zeros(capacity, np.int64),
            np.zeros(capacity),
            np.full(capacity, -1, np.int32),
            np.full(capacity, -1, np.int32),
            np.zeros(capacity, np.uint64),
            np.zeros(capacity, np.uint64),
        )

    def __getitem__(self, rows: slice | Rows) -> "Columns":
        """The same columns of some rows; a slice gives views."""
        return Columns(*(getattr(self, f.name)[rows] for f in fields(self)))

    def published(self, size: int) -> "Columns":
        """Views of the first ``size`` rows that cannot be written through."""
        views = self[:size]
        for f in fields(views):
            getattr(views, f.name).flags.writeable = False
        return views

    def grown(self, capacity: int) -> "Columns":
        """A copy with room for ``capacity`` rows; the arrays of earlier readers stay as they are."""
        bigger = Columns.empty(capacity)
        for f in fields(self):
            getattr(bigger, f.name)[: len(self)] = getattr(self, f.name)
        return bigger

    def put(self, rows: slice, columns: "Columns") -> None:
        """Sets rows as a whole."""
        for f in fields(self):
            getattr(self, f.name)[rows] = getattr(columns, f.name)

    def write(self, rows: Rows, **values: Any) -> None:
        """Sets cells of some columns; of a row that comes twice, the last one counts."""
        for name, column in values.items():
            getattr(self, name)[rows] = column


class Codes:
    """Strings as small numbers in order of first appearance, never forgotten; the empty string is −1."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._code_of: dict[str, int] = {"": -1}

    def code(self, name: str) -> int:
        """The number of a name, a new one for a new name."""
        code = self._code_of.get(name)
        if code is None:
            code = len(self.names)
            self.names.append(name)
            self._code_of[name] = code
        return code

    def known(self, name: str) -> int | None:
        """The number of a name, or ``None``."""
        return self._code_of.get(name)

    def known_each(self, names: Sequence[str]) -> list[int]:
        """The numbers of names; −1 for an unknown one."""
        known = self._code_of.get
        return [known(name, -1) for name in names]


class CategoryCodes(Codes):
    """Full category paths as numbers; knows for every level which paths lie under it.

    Attributes:
        levels: `category_levels` of each path.
    """

    def __init__(self) -> None:
        super().__init__()
        self.levels: list[tuple[str, ...]] = []
        self._below: dict[str, list[int]] = {}
        self._arrays: dict[str, Rows] = {}

    def code_of(self, item: Item) -> int:
        """The number of an item's path."""
        code = self._code_of.get(item.category)
        return self.code_of_levels(category_levels(item.category_path)) if code is None else code

    def code_of_levels(self, levels: tuple[str, ...]) -> int:
        """The number of a path by its `category_levels`."""
        before = len(self.names)
        code = self.code(levels[-1] if levels else "")
        if code == before:
            self.levels.append(levels)
            for level in levels:
                self._below.setdefault(level, []).append(code)
        return code

    def below(self, prefix: str) -> Rows:
        """``int32[k]``: numbers of the paths that start with these levels."""
        codes = self._below.get(prefix)
        if codes is None:
            return _NO_ROWS
        array = self._arrays.get(prefix)
        if array is None or len(array) != len(codes):
            array = self._arrays[prefix] = np.array(codes, np.int32)
        return array


def passes(columns: Columns, filters: Filters, categories: CategoryCodes, brands: Codes) -> Mask:
    """``bool[n]``: sellable and within every filter but ``exclude``, which needs row numbers.

    An item whose price is not known passes no bound on the price.
    """
    ok = columns.sellable
    if filters.categories:
        codes = np.concatenate([categories.below(path) for path in filters.categories])
        ok = ok & _among(columns.category, codes, len(categories.names))
    if filters.brands:
        known = [code for b in filters.brands if (code := brands.known(b)) is not None and code >= 0]
        ok = ok & _among(columns.brand, np.array(known, np.int32), len(brands.names))
    if filters.min_price_micros > 0:
        ok = ok & (columns.price_micros >= filters.min_price_micros)
    if filters.max_price_micros > 0:
        ok = ok & (columns.price_micros <= filters.max_price_micros) & (columns.price_micros > 0)
    if filters.created_after > 0:
        ok = ok & (columns.created >= filters.created_after)
    return ok


def _among(column: Rows, codes: Rows, size: int) -> Mask:
    # One cell more than there are codes: −1 reads the last one, which stays False. Codes that were given out
    # while this runs read it as well.
    table = np.zeros(size + 1, np.bool_)
    table[codes[codes < size]] = True
    return table[np.minimum(column, size)]
