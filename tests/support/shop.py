"""A tiny shop of known shape, for tests."""

from collections.abc import Sequence

import numpy as np

from vitrine.bundle import ItemItem
from vitrine.catalog import Catalog
from vitrine.domain.items import Availability, Item


def items(count: int, *, brands: int = 3, out_of_stock: Sequence[int] = ()) -> list[Item]:
    """Items ``i0``, ``i1``, … with brands ``b0``, … in turn."""
    return [
        Item(
            item_id=f"i{n}",
            title=f"Item {n}" if n % 3 else f"商品 {n}",
            category_path=("Things", f"Kind {n % 4}"),
            brand=f"b{n % brands}",
            price_micros=(n + 1) * 1_000_000,
            currency="EUR",
            availability=Availability.OUT_OF_STOCK if n in out_of_stock else Availability.IN_STOCK,
            created=float(n),
        )
        for n in range(count)
    ]


def make_catalog(count: int, *, seed: int = 0, out_of_stock: Sequence[int] = ()) -> Catalog:
    """A catalogue of `items`."""
    catalog = Catalog(seed)
    catalog.apply(items(count, out_of_stock=out_of_stock), 1)
    return catalog


def dense(matrix: Sequence[Sequence[float]]) -> ItemItem:
    """Neighbours of a small dense matrix."""
    array = np.array(matrix, np.float32)
    order = np.argsort(-array, axis=1, kind="stable")
    kept = [[j for j in row.tolist() if array[i, j] > 0] for i, row in enumerate(order)]
    indptr = np.cumsum([0] + [len(row) for row in kept]).astype(np.int64)
    indices = np.array([j for row in kept for j in row], np.int32)
    weights = np.array([array[i, j] for i, row in enumerate(kept) for j in row], np.float32)
    return ItemItem(indptr, indices, weights)
