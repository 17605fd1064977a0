"""Refuses a configuration that names what nothing installed has, or tells a plugin what it does not understand.

What only fails to work is left to degrade.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from importlib.metadata import entry_points

from vitrine.config import Config
from vitrine.errors import ConfigError
from vitrine.hosting import Plugin
from vitrine.plugin import ENTRY_POINT_GROUP
from vitrine.retrieval.sources import SOURCE_NAMES
from vitrine.validation import nearest, read_table

log = logging.getLogger(__name__)

RANKS = frozenset({"all", "ranking"})


def check_config(config: Config, service: str) -> None:
    """Checks the names of sources, rankers and plugins.

    Plugins are looked up, not imported: one that fails to load is installed all the same, and is off.

    Args:
        config: The configuration.
        service: What is served; plugins need only be installed where "all" or "ranking" is.

    Raises:
        ConfigError: A name is unknown; says all that are, each with the nearest that is known.
    """
    _refuse(wrong_names(config, ranks=service in RANKS))


def check_plugins(config: Config, plugins: Sequence[Plugin]) -> None:
    """Checks what only the plugins themselves know: their settings, and what they offer.

    Args:
        config: The configuration.
        plugins: Those that are installed.

    Raises:
        ConfigError: A plugin's model refuses its settings, or it has no part that the configuration asks for.
    """
    _refuse(wrong_uses(config, plugins))


def wrong_names(config: Config, *, ranks: bool = True) -> list[str]:
    """What `check_config` refuses, in sentences."""
    return [*_sources(config), *(_plugins(config) if ranks else ())]


def wrong_uses(config: Config, plugins: Sequence[Plugin]) -> list[str]:
    """What `check_plugins` refuses, in sentences."""
    wrong: list[str] = []
    for plugin in plugins:
        # One that is off, or that cannot be loaded, is told nothing.
        if plugin.host is not None and config.plugin(plugin.name).enabled:
            wrong += _settings(plugin, config)
            wrong += _parts(plugin, config)
    return wrong


def _sources(config: Config) -> Iterator[str]:
    for scene, settings in config.scenes.items():
        for name in settings.sources:
            if name not in SOURCE_NAMES:
                yield f"scenes.{scene}.sources: unknown source '{name}'; {nearest(name, SOURCE_NAMES)}"
        for name in settings.weights:
            source = name.removeprefix("source:")
            if name != source and source not in SOURCE_NAMES:
                hint = nearest(source, SOURCE_NAMES, "source:")
                yield f"scenes.{scene}.weights: unknown source '{name}'; {hint}"


def _plugins(config: Config) -> Iterator[str]:
    installed = sorted({entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)})
    for scene, settings in config.scenes.items():
        for name in settings.weights:
            if not name.startswith("source:") and name not in installed:
                # A source without its prefix is the likely mistake when no ranker's name is near.
                hint = f"did you mean 'source:{name}'?" if name in SOURCE_NAMES else nearest(name, installed)
                yield f"scenes.{scene}.weights: {_uninstalled('ranker', name, hint)}"
        if settings.reranker and settings.reranker not in installed:
            hint = nearest(settings.reranker, installed)
            yield f"scenes.{scene}.reranker: {_uninstalled('ranker', settings.reranker, hint)}"
    for where, names in (("features", config.features), *((f"plugins.{n}", [n]) for n in config.plugins)):
        for name in names:
            if name not in installed:
                yield f"{where}: {_uninstalled('plugin', name, nearest(name, installed))}"


def _uninstalled(what: str, name: str, hint: str) -> str:
    joint = " See" if hint.endswith("?") else "; see"
    return f"no installed package offers a {what} '{name}'; {hint}{joint} `vitrine plugins`"


def _settings(plugin: Plugin, config: Config) -> Iterator[str]:
    at = f"plugins.{plugin.name}.settings"
    try:
        model = plugin.settings_model()
        # One without a model takes what stands in the file.
        mistakes = [] if model is None else read_table(model, config.plugin(plugin.name).settings, at)[1]
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # A validator may raise anything, and SystemExit would end the server.
        log.exception("the settings of plugin '%s' cannot be checked", plugin.name)
        yield f"{at}: the plugin's own model failed on them with {type(error).__name__}; the log says where"
    else:
        yield from (mistake.text for mistake in mistakes)


def _parts(plugin: Plugin, config: Config) -> Iterator[str]:
    name, offered = plugin.name, plugin.offers
    if "ranker" not in offered:
        for scene, settings in config.scenes.items():
            for key in ("weights", "reranker"):
                if name in (settings.weights if key == "weights" else [settings.reranker]):
                    yield f"scenes.{scene}.{key}: plugin '{name}' makes no ranker; it offers {_list(offered)}"
    if name in config.features and "features" not in offered:
        yield f"features: plugin '{name}' contributes no columns; it offers {_list(offered)}"


def _list(names: Collection[str]) -> str:
    return ", ".join(names) or "nothing"


def _refuse(wrong: Sequence[str]) -> None:
    if wrong:
        raise ConfigError("configuration: " + "; ".join(wrong))
