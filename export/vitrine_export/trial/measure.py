"""Every ranker alone and the two pipelines, on the groups of the temporal protocol."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vitrine.app.offline import OfflineShop
from vitrine.config import Config
from vitrine.domain.answer import Degradation
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, part_of
from vitrine_export.evaluate.groups import CART, Group, groups_of, table_of
from vitrine_export.evaluate.lists import ItemCodes, Lists
from vitrine_export.evaluate.report import Table
from vitrine_export.evaluate.serving import Windows, alone, changed, served
from vitrine_export.evaluate.temporal import TemporalSplit
from vitrine_export.trial.faults import PluginFault, Watch, of_answers
from vitrine_export.trial.pipelines import Pipelines

K = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """One group of queries.

    Attributes:
        group: The group, with the plugin in its pipeline.
        table: The measures.
        alone: The lists of each ranker alone, by name.
        before: The lists of the pipeline without the plugin.
        after: The lists of the pipeline with it.
    """

    group: Group
    table: Table
    alone: dict[str, Lists]
    before: Lists
    after: Lists


def compare(
    name: str,
    groups: Sequence[tuple[Group, Group]],
    shop: OfflineShop,
    other: OfflineShop,
    codes: ItemCodes,
    seed: int,
    watch: Watch,
    progress: Progress,
    served_now: str = "",
) -> list[Compared]:
    """Measures a plugin.

    Args:
        name: The plugin.
        groups: Each with the plugin in its pipeline and without.
        shop: With the models of the pipeline that has it.
        other: With those of the pipeline that has not.
        codes: All items.
        seed: Decides what the bootstrap draws.
        watch: Takes in what the host logs.
        progress: Told how far it is.
        served_now: The reranker, where the pipeline without the plugin is to be shown under it, too.

    Raises:
        PluginFault: The plugin failed in some answers; says how, and what to do.
    """
    found = []
    for step, (mine, theirs) in enumerate(groups):
        report = part_of(progress, step / len(groups), (step + 1) / len(groups))
        found.append(_compare(name, mine, theirs, shop, other, codes, seed, watch, report, served_now))
    return found


def _compare(
    name: str,
    mine: Group,
    theirs: Group,
    shop: OfflineShop,
    other: OfflineShop,
    codes: ItemCodes,
    seed: int,
    watch: Watch,
    progress: Progress,
    served_now: str,
) -> Compared:
    there = {ranker for ranker, _ in shop.variant(mine.config).versions.plugins}
    asked = [
        (label, shop, config)
        for label, config in alone(mine.config, mine.scene, there, sources=False).items()
    ]
    without, with_it = f"without {name}", f"with {name}"
    if served_now:
        now = changed(theirs.config, mine.scene, reranker=served_now)
        asked.append((f"{without}, {served_now} decides", other, now))
    asked += [(without, other, theirs.config), (with_it, shop, mine.config)]
    windows = Windows(mine.queries, codes, mine.scene, K)
    methods: dict[str, Lists] = {}
    for step, (label, where, config) in enumerate(asked):
        report = _named(label, part_of(progress, step / len(asked), (step + 1) / len(asked)))
        degraded: Counter[Degradation] = Counter()
        methods[label] = served(where.variant(config), windows, report, degraded=degraded)
        refuse(name, degraded, watch, len(mine.queries))
    table = table_of(mine, methods, with_it, without, K, seed)
    lists = {label: methods[label] for label in methods if label in there}
    return Compared(mine, table, lists, methods[without], methods[with_it])


def refuse(name: str, degraded: Counter[Degradation], watch: Watch, queries: int) -> None:
    """Ends the trial of a plugin that failed in some answers.

    Raises:
        PluginFault: It did; says how, in how many, and what to do.
    """
    wrong = of_answers(name, degraded, watch)
    if wrong:
        failed: Counter[str] = Counter()
        for part, count in degraded.items():
            failed[part.component] += count
        most = max(failed[f"ranker:{name}"], failed[f"features:{name}"])
        raise PluginFault(f"'{name}' failed for {most:,} of {queries:,} shoppers: {wrong}")


def _named(label: str, progress: Progress) -> Progress:
    return lambda windows, share: progress(f"{windows}, {label}", share)


def groups(
    split: TemporalSplit, whole: TemporalSplit, pair: Pipelines, scenes: Sequence[str]
) -> list[tuple[Group, Group]]:
    """The groups of the temporal protocol, each with the plugin in its pipeline and without.

    Args:
        split: Who is asked.
        whole: Out of whom they were drawn.
        pair: The pipelines.
        scenes: The scenes that are tried, first the one that known customers are asked for; the one of the basket is
            for new customers alone.

    Raises:
        InvalidInput: There is nobody to ask.
    """

    def of(config: Config) -> list[Group]:
        return [
            replace(group, note=_note(group, len(whole.known), len(whole.new)))
            for group in groups_of(split, config, scenes[0])
            if group.scene in scenes and (group.key == "new" or group.scene != CART)
        ]

    found = list(zip(of(pair.with_plugin), of(pair.without), strict=True))
    if not found:
        if scenes[0] == CART:
            raise InvalidInput(
                "scene",
                f"'{CART}' is tried with new customers, and this window has none; try another scene or window",
            )
        raise InvalidInput("from", "nobody who can be asked took anything in this window; choose another")
    return found


def _note(group: Group, known: int, new: int) -> str:
    """Out of how many the shoppers were drawn, and what they were asked for."""
    told = {
        "known": f"of {known:,} known customers of these weeks, asked for everything that they then took",
        "known_new_items": "with the rule exclude_purchased, asked for what they took that was new to them",
        "new": f"of {new:,} new customers with a large enough first basket, of which they see one half",
    }
    return f"Scene '{group.scene}': {len(group.queries):,} shoppers {told[group.key]}."
