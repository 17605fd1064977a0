"""The catalogue in memory: every item as a row, every attribute that requests need as a column."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter
from threading import Lock, RLock

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.catalog.columns import CategoryCodes, Codes, Columns, Mask, Rows, passes
from vitrine.catalog.id_table import IdTable
from vitrine.catalog.journal import Journal
from vitrine.catalog.packed import Block, PackedItems, Titles
from vitrine.catalog.selections import Selection, Selections
from vitrine.content.text import text_hashes
from vitrine.domain.ids import tie_keys
from vitrine.domain.items import Availability, Item, ItemKeys, price_band
from vitrine.domain.request import Filters

_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Item).decode
_id = attrgetter("item_id")

Listener = Callable[[Rows], None]


class Catalog:
    """Items by row. Rows are numbered in order of arrival, kept for good, and mean nothing outside this process.

    Any thread may read at any time without waiting; one thread at a time changes (`apply`). New rows are filled in
    before they are published together with all their columns; cells of existing rows change in place. Readers that
    combine columns take `columns` once: its arrays have one length.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.revision = 0
        self.ids: list[str] = []
        self._packed = PackedItems()
        self.titles = Titles(self._packed)
        self._row_of: dict[str, int] = {}
        self._table = IdTable(self.ids, self._row_of)
        self._categories = CategoryCodes()
        self._brands = Codes()
        self._store = Columns.empty(0)
        self._columns = self._store
        self._selections = Selections(lambda: self._columns, self._passes)
        self.journal = Journal()
        self._listeners: tuple[Listener, ...] = (self._selections.changed, self.journal.add)
        self._subscribing = Lock()
        self._writing = RLock()

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def columns(self) -> Columns:
        """All rows now, as views of one length. Do not write to them."""
        return self._columns

    @property
    def sellable(self) -> Mask:
        """``bool[n]``: whether the item may be recommended."""
        return self._columns.sellable

    @property
    def price_micros(self) -> npt.NDArray[np.int64]:
        """``int64[n]``: price in millionths of the currency, 0 when not known."""
        return self._columns.price_micros

    @property
    def created(self) -> npt.NDArray[np.float64]:
        """``float64[n]``: Unix seconds UTC, 0 when not known."""
        return self._columns.created

    @property
    def category(self) -> Rows:
        """``int32[n]``: index into `categories`, −1 for none."""
        return self._columns.category

    @property
    def brand(self) -> Rows:
        """``int32[n]``: index into `brands`, −1 for none."""
        return self._columns.brand

    @property
    def tie(self) -> npt.NDArray[np.uint64]:
        """``uint64[n]``: decides between equal scores."""
        return self._columns.tie

    @property
    def categories(self) -> list[str]:
        """Full category paths by code."""
        return self._categories.names

    @property
    def brands(self) -> list[str]:
        """Brands by code."""
        return self._brands.names

    def category_codes(self, prefixes: Sequence[str]) -> list[Rows]:
        """``int32[k]`` each: codes of the category paths that start with these levels."""
        return list(map(self._categories.below, prefixes))

    def brand_code(self, brand: str) -> int:
        """Code of a brand, −1 when no item has it."""
        code = self._brands.known(brand)
        return -1 if code is None else code

    def brand_codes(self, brands: Sequence[str]) -> list[int]:
        """`brand_code` of each."""
        return self._brands.known_each(brands)

    def rows(self, item_ids: Sequence[str], within: int | None = None) -> Rows:
        """``int32[n]``: the rows of items; −1 for unknown ones and for rows not below ``within``."""
        found = self._table.rows(item_ids)
        if within is not None:
            found[found >= within] = -1
        return found

    def row(self, item_id: str) -> int:
        """The row of an item, by the identifier itself and not its hash; −1 for an unknown one."""
        return self._row_of.get(item_id, -1)

    @property
    def numbered(self) -> int:
        """How many items `rows` finds: for a moment fewer than there are rows, which are published first."""
        return len(self._row_of)

    def get(self, item_id: str) -> Item | None:
        """The item, or ``None``."""
        row = self._row_of.get(item_id)
        return None if row is None else _decode(self._packed[row])

    def may_sell(self, item_id: str) -> bool:
        """Whether an item is known and may be recommended."""
        row = self._row_of.get(item_id)
        return row is not None and bool(self.sellable[row])

    def item(self, row: int) -> Item:
        """The item of a row."""
        return _decode(self._packed[row])

    def counter_keys(self, item_id: str) -> ItemKeys | None:
        """What a profile counts for an event on this item; ``None`` when it is unknown."""
        row = self._row_of.get(item_id)
        if row is None:
            return None
        columns = self._columns
        category, brand = columns.category.item(row), columns.brand.item(row)
        return ItemKeys(
            self._categories.levels[category] if category >= 0 else (),
            self._brands.names[brand] if brand >= 0 else "",
            price_band(columns.price_micros.item(row)),
        )

    def allowed(self, filters: Filters, columns: Columns | None = None) -> Mask:
        """``bool[n]``: which items are sellable and pass the filters.

        Args:
            filters: The filters.
            columns: An earlier `columns` whose length the answer shall have. The answer may be a view of it: copy
                it before writing.
        """
        columns = self._columns if columns is None else columns
        ok = self._passes(columns, filters)
        if filters.exclude:
            rows = self.rows(filters.exclude, len(columns))
            ok = ok.copy() if ok is columns.sellable else ok
            ok[rows[rows >= 0]] = False
        return ok

    def selection(self, filters: Filters) -> Selection:
        """The rows that are sellable and pass the filters but for ``exclude``; kept for the next request."""
        return self._selections.of(replace(filters, exclude=()) if filters.exclude else filters)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls ``listener(rows)`` after each change, in the thread that made it; answers how to stop that.

        It is called before `apply` returns, so it must be quick; what it raises is logged and goes no further.
        """
        with self._subscribing:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._subscribing:
                self._listeners = tuple(other for other in self._listeners if other is not listener)

        return stop

    def apply(self, items: Sequence[Item], revision: int, packed: Sequence[bytes] | None = None) -> Rows:
        """Adds items or replaces them; of an item that comes twice, the last one counts.

        Args:
            items: Whole items.
            revision: The revision that the catalogue has with them.
            packed: The items as MessagePack, where the caller has them already.

        Returns:
            ``int32[k]``: the rows that changed, without repeats.
        """
        with self._writing:
            rows = self._write(items, packed if packed is not None else [_encode(i) for i in items])
            self.revision = revision
            changed: Rows = np.unique(rows)
            for listener in self._listeners if len(changed) else ():
                try:
                    listener(changed)
                except Exception:  # noqa: BLE001 (whatever it is, the change itself stands)
                    _log.exception("a listener of the catalogue failed")
            return changed

    def extend(
        self,
        ids: Sequence[str],
        packed: Block,
        columns: Columns,
        revision: int,
    ) -> None:
        """Adds whole rows of new items, before anybody listens.

        Args:
            ids: m identifiers.
            packed: The items as MessagePack.
            columns: Their rows, with codes of this catalogue (`codes`).
            revision: The revision that the catalogue has with them.
        """
        with self._writing:
            size = len(self._columns)
            end = size + len(ids)
            self._room(end)
            self._store.put(slice(size, end), columns)
            self.ids += ids
            self._packed.add(packed)
            self._columns = self._store.published(end)
            self._row_of.update(zip(ids, range(size, end), strict=True))
            self.revision = revision
            self.journal.forget()

    def packed(self, start: int, end: int) -> list[bytes]:
        """The items of some rows as MessagePack."""
        return [bytes(self._packed[row]) for row in range(start, end)]

    def category_levels(self, code: int) -> tuple[str, ...]:
        """`vitrine.domain.items.category_levels` of a category."""
        return self._categories.levels[code]

    def codes(self, categories: Sequence[tuple[str, ...]], brands: Sequence[str]) -> tuple[Rows, Rows]:
        """``int32``: codes of categories, by their levels, and of brands; new ones where they have none."""
        return (
            np.array([self._categories.code_of_levels(levels) for levels in categories], np.int32),
            np.array([self._brands.code(brand) for brand in brands], np.int32),
        )

    def text_hashes(self, rows: Rows) -> npt.NDArray[np.uint64]:
        """``uint64[m]``: hashes of the texts of some rows; read them before the items."""
        return self._columns.text_hash[rows]

    def _room(self, size: int) -> None:
        if size > len(self._store):
            self._store = self._store.grown(max(1024, size, 2 * len(self._store)))

    def _passes(self, columns: Columns, filters: Filters) -> Mask:
        return passes(columns, filters, self._categories, self._brands)

    def _write(self, items: Sequence[Item], packed: Sequence[bytes]) -> Rows:
        known, fresh = self._row_of, dict[str, int]()
        size = len(self._columns)
        rows = np.empty(len(items), np.int32)
        for k, item_id in enumerate(map(_id, items)):
            row = known.get(item_id)
            rows[k] = fresh.setdefault(item_id, size + len(fresh)) if row is None else row
        end = size + len(fresh)
        self._room(end)
        categories, brands, sellable = self._categories, self._brands, _SELLABLE
        self._store.write(
            rows,
            sellable=[i.availability in sellable for i in items],
            price_micros=[i.price_micros for i in items],
            created=[i.created for i in items],
            category=[categories.code_of(i) for i in items],
            brand=[brands.code(i.brand) for i in items],
        )
        if fresh:
            self._store.tie[size:end] = tie_keys(fresh, self.seed)
            self._packed.grow(end)
        for row, data in zip(rows.tolist(), packed, strict=True):
            self._packed[row] = data
        self._store.write(rows, text_hash=text_hashes(items))
        if fresh:
            # Last: what fails before leaves no id at a row that another item will have.
            self.ids += fresh
            self._columns = self._store.published(end)
            known.update(fresh)
        return rows


_SELLABLE = frozenset(int(a) for a in Availability if a.sellable)
