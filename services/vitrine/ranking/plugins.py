"""Finds ranking plugins by entry point and makes rankers of them, each on its own so that one cannot spoil another."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

import pluggy

from vitrine import plugin as contract
from vitrine.bundle import AttachedBundle
from vitrine.domain.answer import ReasonCode
from vitrine.plugin import LoadContext, MissingData, Ranker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        name: Name of its entry point.
        distribution: The package and version it comes from.
        host: Its own plugin manager; ``None`` when it could not be loaded.
        error: Why it could not be loaded.
    """

    name: str
    distribution: str
    host: pluggy.PluginManager | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Rankers:
    """The rankers made for one bundle, and why others are off.

    Attributes:
        ready: Rankers by name.
        off: Reasons by name: not found, failed to load, missing data.
    """

    ready: Mapping[str, Ranker]
    off: Mapping[str, str]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Names of rankers as they run: as given, but each after those of them whose scores it reads.

        Where rankers read each other's scores, the first of them goes without.
        """
        left = dict.fromkeys(names)
        placed: list[str] = []

        def place(name: str) -> None:
            del left[name]
            # Not by `isinstance`, which takes as long as all the rest.
            after: tuple[str, ...] = getattr(self.ready.get(name), "after", ())
            for other in after:
                if other in left:
                    place(other)
            placed.append(name)

        while left:
            place(next(iter(left)))
        return placed


def discover() -> list[Plugin]:
    """All installed plugins, those that fail to import included."""
    found = sorted(entry_points(group=contract.ENTRY_POINT_GROUP), key=lambda entry: entry.name)
    return [_load(entry) for entry in found]


def make_rankers(
    plugins: Sequence[Plugin],
    names: Sequence[str],
    bundle: AttachedBundle | None,
    settings: Mapping[str, Mapping[str, Any]],
) -> Rankers:
    """Makes the rankers that the configuration names.

    Never raises because of a plugin: one that cannot be made is listed in `Rankers.off`.
    """
    by_name = {plugin.name: plugin for plugin in plugins}
    ready: dict[str, Ranker] = {}
    off: dict[str, str] = {}
    for name in names:
        plugin = by_name.get(name)
        if plugin is None:
            off[name] = f"no installed package offers a ranker '{name}'; see `vitrine plugins`"
        elif plugin.host is None:
            off[name] = plugin.error
        else:
            made = _make(plugin.host, LoadContext(bundle, settings.get(name, {})))
            if isinstance(made, str):
                off[name] = made
            else:
                ready[name] = made
    return Rankers(ready, off)


def _load(entry: EntryPoint) -> Plugin:
    origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    try:
        host.register(entry.load(), entry.name)
        # A misspelt hook would be silent without this.
        host.check_pending()
        if not host.get_hookcallers(host.get_plugin(entry.name)):
            return Plugin(entry.name, origin, None, "implements no hook of vitrine.plugin")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        log.exception("ranking plugin '%s' cannot be loaded", entry.name)
        return Plugin(entry.name, origin, None, f"failed to load: {type(error).__name__}: {error}")
    return Plugin(entry.name, origin, host)


def _make(host: pluggy.PluginManager, load: LoadContext) -> Ranker | str:
    """The ranker, or why there is none."""
    try:
        made = host.hook.vitrine_make_ranker(load=load)
    except MissingData as missing:
        # pluggy's frame holds the error and its traceback holds the frame, with the bundle in it: one must let go.
        missing.__traceback__ = None
        return str(missing)
    except Exception as error:
        log.exception("a ranking plugin failed to start")
        error.__traceback__ = None
        return f"failed to start: {type(error).__name__}"
    if not isinstance(made, Ranker):
        return "vitrine_make_ranker returned no Ranker; see vitrine.plugin.Ranker"
    # The protocol sees that they are there, not what they are; answers carry them.
    name, version, reason = cast("tuple[object, object, object]", (made.name, made.version, made.reason))
    if not isinstance(name, str) or not isinstance(version, str):
        return "name and version of the ranker must be strings"
    if reason is not None and not isinstance(reason, ReasonCode):
        return "reason of the ranker must be a ReasonCode or None"
    after = cast("object", getattr(made, "after", ()))
    if not isinstance(after, tuple) or not all(isinstance(other, str) for other in after):
        return "after of the ranker must be a tuple of names of rankers"
    return made
