"""The tables of the temporal protocol: which queries stand together, how they are served, what is compared."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vitrine.app.offline import OfflineShop
from vitrine.config import Config
from vitrine.progress import Progress, part_of
from vitrine_export.evaluate.baselines import Baseline
from vitrine_export.evaluate.bootstrap import paired
from vitrine_export.evaluate.lists import ItemCodes, ItemSets, Lists
from vitrine_export.evaluate.metrics import measure
from vitrine_export.evaluate.report import PIPELINE, Comparison, Row, Table
from vitrine_export.evaluate.serving import Windows, ablated, alone, served, without_purchased
from vitrine_export.evaluate.temporal import Queries, TemporalSplit

# The scenes that known and new customers are asked for: the front page, and the page of the basket.
HOME, CART = "home", "cart"
# Queries that a baseline scores at a time: bounds the memory.
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Group:
    """Queries that stand in one table.

    Attributes:
        key: For programs.
        title: For people.
        queries: The queries.
        scene: The scene that serves them.
        config: Its configuration.
        forbidden: Items that no method may show, as the rules of the scene leave them out of the pipeline.
        against: The baseline that the pipeline has to beat.
        note: What is to be known.
    """

    key: str
    title: str
    queries: Queries
    scene: str
    config: Config
    forbidden: ItemSets | None
    against: str
    note: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A table, the lists of all methods, and the seconds that those of the pipeline took."""

    table: Table
    methods: Mapping[str, Lists]
    seconds: float

    @property
    def lists(self) -> Lists:
        """Those of the pipeline."""
        return self.methods[PIPELINE]


def groups_of(split: TemporalSplit, config: Config, home: str = HOME) -> list[Group]:
    """Known customers, the same for what is new to them, new customers; groups without queries are left out.

    Args:
        split: The queries.
        config: The server's configuration.
        home: The scene that known customers are asked for.
    """
    known, new = split.known, split.new
    unseen = known.targets.less(known.taken)
    some = np.flatnonzero(unseen.sizes > 0)
    explorers = known.take(some, unseen)
    groups = [
        Group(
            "known",
            "Known customers, all items",
            known,
            home,
            config,
            None,
            "buy again",
            f"Scene '{home}'. Targets: everything that the customer took in the window.",
        ),
        Group(
            "known_new_items",
            "Known customers, only items new to the customer",
            explorers,
            home,
            without_purchased(config, home),
            explorers.taken,
            "item kNN",
            f"Scene '{home}' with the rule exclude_purchased; no method shows what the customer took before.",
        ),
        Group(
            "new",
            "New customers",
            new,
            CART,
            config,
            new.contexts,
            "item kNN",
            f"Scene '{CART}' with a seeded half of the first basket as basket, the other half as targets; "
            f"{len(new):,} of {split.new_customers:,} new customers have a first basket of 4 items or more. "
            "Who never bought anything gets what is popular from buy again.",
        ),
    ]
    return [group for group in groups if len(group.queries)]


def measure_group(
    group: Group,
    baselines: Sequence[Baseline],
    shop: OfflineShop,
    codes: ItemCodes,
    k: int,
    seed: int,
    progress: Progress,
    *,
    ablation: bool = True,
) -> Measured:
    """Every method on one group.

    Args:
        group: The queries.
        baselines: Fitted on what came before the window.
        shop: Filled with what came before the window.
        codes: All items.
        k: Length of the lists.
        seed: Decides what the bootstrap draws.
        progress: Told how far it is.
        ablation: Whether to ask the pipeline without each of its parts, too.
    """
    queries = group.queries
    methods = {b.name: baseline_lists(b, queries, codes, k, group.forbidden) for b in baselines}
    there = {name for name, _ in shop.versions.plugins}
    parts = alone(group.config, group.scene, there)
    parts |= ablated(group.config, group.scene, there) if ablation else {}
    windows = Windows(queries, codes, group.scene, k)
    for step, (name, config) in enumerate(parts.items()):
        share = part_of(progress, step / (len(parts) + 1), (step + 1) / (len(parts) + 1))
        methods[name] = served(shop.variant(config), windows, share)
    begun = time.monotonic()
    pipeline = served(shop.variant(group.config), windows)
    seconds = time.monotonic() - begun
    methods[PIPELINE] = pipeline

    return Measured(table_of(group, methods, PIPELINE, group.against, k, seed), methods, seconds)


def table_of(
    group: Group, methods: Mapping[str, Lists], method: str, against: str, k: int, seed: int
) -> Table:
    """The measures of several methods on one group, and how far one of them is ahead of another.

    Args:
        group: The queries.
        methods: Their lists.
        method: The method that is compared.
        against: With which, and with others whose names begin so.
        k: Length of the lists.
        seed: Decides what the bootstrap draws.
    """
    values = {
        name: measure(lists, group.queries.targets, [k], ("recall", "ndcg"))
        for name, lists in methods.items()
    }
    rows = [Row(name, {m: float(v.mean()) for m, v in measures.items()}) for name, measures in values.items()]
    # With "buy again" by count, that by recency is meant, too.
    others = [name for name in values if name == against or name.startswith(f"{against} ")]
    comparisons = [
        Comparison(other, m, paired(mine, values[other][m], seed), method)
        for other in others
        for m, mine in values[method].items()
    ]
    rankers = tuple(name for name in methods if name in group.config.scenes[group.scene].rankers)
    return Table(group.key, group.title, len(group.queries), rows, comparisons, group.note, rankers)


def baseline_lists(
    baseline: Baseline, queries: Queries, codes: ItemCodes, k: int, forbidden: ItemSets | None
) -> Lists:
    """The lists of a baseline, scored in chunks."""
    parts = []
    for start in range(0, len(queries), _CHUNK):
        some = np.arange(start, min(start + _CHUNK, len(queries)))
        scores = baseline.scores(queries.take(some))
        parts.append(Lists.top(scores, codes.ties, k, None if forbidden is None else forbidden.take(some)))
    return Lists(np.concatenate([p.items for p in parts]), np.concatenate([p.scores for p in parts]))
