"""Items that nobody took before the test window: does the pipeline find them?"""

import numpy as np

from vitrine.app.offline import OfflineShop
from vitrine.bundle import Bundle
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.domain.profile import DAY
from vitrine.progress import Progress, quiet
from vitrine_export.evaluate.chance import at_random
from vitrine_export.evaluate.metrics import measure
from vitrine_export.evaluate.report import PIPELINE, Row, Table
from vitrine_export.evaluate.serving import Windows, served
from vitrine_export.evaluate.temporal import TemporalSplit

_SCENES = ("home", "new_arrivals")
_MEASURES = ("recall", "ndcg")


def new_items_table(
    dataset: Dataset,
    config: Config,
    bundle: Bundle,
    split: TemporalSplit,
    k: int,
    progress: Progress = quiet,
) -> Table | None:
    """Lists out of a catalogue in which the items of the test window came in at its first moment.

    Only items that were never taken before are targets. In the other tables the catalogue does not hold them: an
    item table that was made from a log knows which items will be sold.

    Returns:
        The table; ``None`` where there is no item table or nobody known took a new item.
    """
    if not dataset.has.items:
        return None
    targets = split.known.targets.within(~split.sold)
    some = np.flatnonzero(targets.sizes > 0)
    if len(some) == 0:
        return None
    queries = split.known.take(some, targets)
    shop = OfflineShop.open(dataset, config, bundle, until=split.start, early=True)
    try:
        size = int(shop.memory.store.catalog.sellable.sum())
        chance = at_random(queries.targets, [k], size, _MEASURES)
        rows = [Row("at random (expected)", {m: float(v.mean()) for m, v in chance.items()})]
        new = _newcomers(shop, split, config.retrieval.new_arrival_days * DAY)
        every = config.scenes["home"].rules.newcomer_every if "home" in config.scenes else 0
        # Targets that came in longer ago are none: there is nothing to draw them from.
        if every and k >= every and new >= int(queries.targets.sizes.max()):
            # The fair floor of a window that keeps places for them: as many drawn from the new ones alone.
            drawn = at_random(queries.targets, [k // every], new, ["recall"])[f"recall@{k // every}"]
            rows.append(Row(f"{k // every} of the new ones at random", {f"recall@{k}": float(drawn.mean())}))
        for scene in _SCENES:
            if scene in config.scenes:
                lists = served(shop, Windows(queries, split.codes, scene, k), progress)
                values = measure(lists, queries.targets, [k], _MEASURES)
                name = PIPELINE if scene == "home" else f"scene '{scene}'"
                rows.append(Row(name, {m: float(v.mean()) for m, v in values.items()}))
    finally:
        shop.close()
    count = len(np.unique(targets.items))
    note = f"{count:,} such items, of {new:,} that came in lately and nobody took before, in a catalogue of {size:,}."
    return Table("new_items", "Known customers, only items never sold before", len(queries), rows, [], note)


def _newcomers(shop: OfflineShop, split: TemporalSplit, within: float) -> int:
    """How many items came in at most so many seconds before the window, and were not taken until then."""
    catalog = shop.memory.store.catalog
    created = catalog.created[: len(catalog)]
    lately = (created <= split.start) & (created >= split.start - within)
    codes = split.codes.codes(list(catalog.ids))
    return int(np.count_nonzero(lately & (codes >= 0) & ~split.sold[codes]))
