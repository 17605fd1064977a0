"""A process that upserts items and says what was acknowledged, until it is killed: `python upserter.py STORE FIRST`."""

import sys
from pathlib import Path

from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.domain.items import Item

BATCH = 3


def make_items(number: int) -> list[Item]:
    return [
        Item(item_id=f"i{number}-{k}", title=f"word{number} thing", price_micros=number) for k in range(BATCH)
    ]


def main() -> None:
    store = CatalogStore.open(Path(sys.argv[1]), Catalog())
    for number in range(int(sys.argv[2]), 1_000_000):
        store.upsert([*make_items(number), Item(item_id="always", title=f"now{number}")], None, 1.0)
        print(number, flush=True)


if __name__ == "__main__":
    main()
