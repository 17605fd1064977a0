"""The same data in several sizes."""

from pathlib import Path

import numpy as np

from vitrine.dataset import Dataset
from vitrine.domain.ids import tie_keys
from vitrine.errors import InvalidInput
from vitrine.progress import Progress
from vitrine_export.plain import plain_dataset, read_users
from vitrine_export.simulate import simulate

# The series: shares of the users of Gowalla, and numbers of simulated events.
SHARE, EVENTS = "gowalla", "simulated"
# Of a simulated shop of 20,000 items and 90 days: what a shopper does in all.
_EVENTS_A_SHOPPER = 71.6
_ITEMS = 20_000


def gowalla(share: float, source: Path, out: Path, progress: Progress) -> Dataset:
    """A share of the users of a file with lines of ``user item item …``, drawn by a hash, with all they did."""
    progress("reading", 0.0)
    users = read_users(source, "gowalla")
    order = np.argsort(tie_keys(users.names, 0), kind="stable")
    kept = np.sort(order[: round(share * len(order))]).tolist()
    if not kept:
        raise InvalidInput("share", f"{share:g} of {len(order):,} users is nobody")
    progress("writing", 0.5)
    return plain_dataset(
        out,
        [users.names[i] for i in kept],
        [users.items[i] for i in kept],
        event="purchase",
        ordered=False,
        name=f"gowalla {share:g}",
        source=source.name,
    )


def simulated(events: float, source: Path, out: Path, progress: Progress) -> Dataset:
    """About so many events of a simulated shop: more shoppers, with as many items and days."""
    del source
    simulate(out, shoppers=max(round(events / _EVENTS_A_SHOPPER), 1), items=_ITEMS, progress=progress)
    return Dataset.open(out)
