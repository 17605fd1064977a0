"""Refuses names in the configuration that nothing installed has; what only fails to work is left to degrade."""

from collections.abc import Iterable
from difflib import get_close_matches
from importlib.metadata import entry_points

from vitrine.config import Config
from vitrine.errors import ConfigError
from vitrine.plugin import ENTRY_POINT_GROUP
from vitrine.retrieval.sources import SOURCE_NAMES

_SOURCES = [f"source:{name}" for name in SOURCE_NAMES]


def check_config(config: Config, service: str) -> None:
    """Checks the names of sources, rankers and plugins.

    Plugins are looked up, not imported: one that fails to load is installed all the same, and is off.

    Args:
        config: The configuration.
        service: What is served; rankers need only be installed where "all" or "ranking" is.

    Raises:
        ConfigError: A name is unknown; says which are, the nearest first.
    """
    ranks = service in {"all", "ranking"}
    rankers = sorted({entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)})
    wrong: list[str] = []
    for scene, settings in config.scenes.items():
        where = f"scenes.{scene}.weights"
        for name in settings.weights:
            if name.startswith("source:"):
                if name not in _SOURCES:
                    wrong.append(f"{where}: unknown source '{name}'; {_nearest(name, _SOURCES)}")
            elif ranks and name not in rankers:
                # A source without its prefix is the likely mistake when no ranker's name is near.
                forgotten = f"source:{name}" if name in SOURCE_NAMES else ""
                hint = f"did you mean '{forgotten}'?" if forgotten else _nearest(name, rankers)
                wrong.append(f"{where}: {_uninstalled(name, hint)}")
        if ranks and settings.reranker and settings.reranker not in rankers:
            hint = _nearest(settings.reranker, rankers)
            wrong.append(f"scenes.{scene}.reranker: {_uninstalled(settings.reranker, hint)}")
    if ranks:
        wrong += [
            f"plugins.{name}: {_uninstalled(name, _nearest(name, rankers))}"
            for name in config.plugins
            if name not in rankers
        ]
    if wrong:
        raise ConfigError("configuration: " + "; ".join(wrong))


def _uninstalled(name: str, hint: str) -> str:
    joint = " See" if hint.endswith("?") else "; see"
    return f"no installed package offers a ranker '{name}'; {hint}{joint} `vitrine plugins`"


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    # Names of sources share a prefix, which must not make strangers look near.
    short = {other.removeprefix("source:"): other for other in names}
    close = get_close_matches(name.removeprefix("source:"), short, n=1)
    return f"did you mean '{short[close[0]]}'?" if close else f"known: {', '.join(names) or 'none'}"
