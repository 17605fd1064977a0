"""Makes rankers and feature columns of the plugins for one bundle, and seats each with its budget and its breaker."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from vitrine.bundle import AttachedBundle
from vitrine.config import Config
from vitrine.domain.columns import pinned
from vitrine.hosting.breaker import Breaker
from vitrine.hosting.discovery import Plugin
from vitrine.hosting.facts import BlockFacts, RankerFacts, block_facts, ranker_facts
from vitrine.hosting.hosted import Hosted
from vitrine.hosting.maker import PluginMaker
from vitrine.hosting.observer import SILENT, Observer
from vitrine.hosting.rankers import Rankers

log = logging.getLogger(__name__)

F = TypeVar("F", RankerFacts, BlockFacts)


def make_rankers(
    plugins: Sequence[Plugin],
    names: Sequence[str],
    bundle: AttachedBundle | None,
    config: Config,
    *,
    blocks: Iterable[str] = (),
    observer: Observer = SILENT,
) -> Rankers:
    """Makes the rankers and the feature columns that are wanted.

    Never raises because of a plugin: one that cannot be made is listed as off, as is one whose columns have another
    version than the bundle's models learned from.

    Args:
        plugins: Those that were found.
        names: Rankers.
        bundle: The models.
        config: What is done with each plugin.
        blocks: Plugins whose feature columns are wanted, beside those that a ranker follows for them.
        observer: Is told how they do.
    """
    by_name = {plugin.name: plugin for plugin in plugins}
    makers: dict[str, PluginMaker] = {}

    def collect(
        component: str, hook: str, wanted: Iterable[str], read: Callable[[str, object], F]
    ) -> tuple[dict[str, F], dict[str, Hosted], dict[str, str]]:
        """One kind of part: what each says of itself, each as it is called, and why others are off."""
        facts: dict[str, F] = {}
        seats: dict[str, Hosted] = {}
        off: dict[str, str] = {}
        for name in dict.fromkeys(wanted):
            if name not in makers:
                makers[name] = PluginMaker(name, by_name.get(name), config.plugin(name), bundle, config)
            made = makers[name].make(hook, partial(read, name))
            if isinstance(made, str):
                off[name] = made
                observer.plugin_state(f"{component}:{name}", on=False)
                continue
            part, facts[name] = made
            breaker = Breaker(config.ranking.failures, config.ranking.retry_seconds)
            seconds = (config.plugin(name).budget_ms or facts[name].budget_ms) / 1000
            seats[name] = Hosted(
                f"{component}:{name}", part, seconds, breaker, observer, makers[name].elsewhere
            )
        return facts, seats, off

    ready, hosted, off = collect("ranker", "vitrine_make_ranker", names, ranker_facts)
    pins = _pins(bundle)

    def block(name: str, made: object) -> BlockFacts:
        return block_facts(name, pins.get(name, {}), made)

    wanted = (*blocks, *_followed(ready, by_name))
    columns, hosted_columns, columns_off = collect("features", "vitrine_make_features", wanted, block)
    elsewhere = {name: one.elsewhere for name, one in makers.items() if one.elsewhere is not None}
    for name in elsewhere.keys() - hosted.keys() - hosted_columns.keys():
        # It made nothing that can be used.
        elsewhere.pop(name).close()
    return Rankers(ready, off, hosted, columns, columns_off, hosted_columns, elsewhere)


def _pins(bundle: AttachedBundle | None) -> Mapping[str, Mapping[str, int]]:
    """The columns of each plugin that models of the bundle learned from, and their versions."""
    models = () if bundle is None else bundle.bundle.models.values()
    return pinned(key for model in models for key in model.entry.features)


def _followed(ready: Mapping[str, RankerFacts], plugins: Mapping[str, Plugin]) -> list[str]:
    """Plugins that rankers name for their columns: those that have some, and are not there for their scores."""
    named = (name for facts in ready.values() for name in facts.after)
    return [
        name for name in named if name not in ready and name in plugins and _may_contribute(plugins[name])
    ]


def _may_contribute(plugin: Plugin) -> bool:
    return plugin.apart or "features" in plugin.offers
