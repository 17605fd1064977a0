"""Finds ranking plugins by entry point, each loaded on its own so that one cannot spoil another."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import pluggy
from pydantic import BaseModel

from vitrine import plugin as contract
from vitrine.errors import Timeout
from vitrine.hosting.patience import START_SECONDS, within
from vitrine.hosting.plain import words
from vitrine.validation import nearest

log = logging.getLogger(__name__)

_VERSION = "VITRINE_CONTRACT"
_FAILED = "failed to load"
_OFFERS = {
    "vitrine_make_ranker": "ranker",
    "vitrine_make_features": "features",
    "vitrine_settings": "settings",
}


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        name: Name of its entry point.
        distribution: The package and version it comes from.
        host: Its own plugin manager; ``None`` when it cannot be used, or not here.
        error: Why it cannot be used, for who runs the server.
        apart: Whether it was left to a process of its own: nothing of it has been imported here.
    """

    name: str
    distribution: str
    host: pluggy.PluginManager | None
    error: str = ""
    apart: bool = False

    @property
    def public_error(self) -> str:
        """The same without what an exception says, for who calls the server."""
        return f"{_FAILED}; `vitrine plugins` says why" if self.error.startswith(_FAILED) else self.error

    @property
    def offers(self) -> tuple[str, ...]:
        """Which hooks it implements: "ranker", "features", "settings"; none are known of one that is apart."""
        if self.host is None:
            return ()
        # pluggy answers ``None`` for what is no plugin, and this one is.
        callers = self.host.get_hookcallers(self.host.get_plugin(self.name)) or []
        return tuple(offer for hook, offer in _OFFERS.items() if hook in {caller.name for caller in callers})

    def settings_model(self) -> type[BaseModel] | None:
        """The model of its settings; ``None`` when it has none, or cannot be used.

        Raises:
            TypeError: It answered something else than a model.
        """
        model = None if self.host is None else self.host.hook.vitrine_settings()
        if model is not None and not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"vitrine_settings of '{self.name}' answered no pydantic model")
        return model


def discover(
    wanted: Callable[[str], bool] = lambda _: True, *, apart: Callable[[str], bool] = lambda _: False
) -> list[Plugin]:
    """All installed plugins, those that cannot be used included.

    Args:
        wanted: Tells by name which to look at.
        apart: Tells which not to import here, because they run in processes of their own.
    """
    found = sorted(entry_points(group=contract.ENTRY_POINT_GROUP), key=lambda entry: entry.name)
    return [
        Plugin(entry.name, _origin(entry), None, apart=True) if apart(entry.name) else load_plugin(entry)
        for entry in found
        if wanted(entry.name)
    ]


def load_plugin(entry: EntryPoint) -> Plugin:
    """The plugin of an entry point, whether or not it can be used."""
    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    try:
        loaded = within(START_SECONDS, entry.load)
        problem = _other_contract(getattr(loaded, _VERSION, None))
        if not problem:
            # Before pluggy looks, for which a misspelt hook is silent.
            problem = _unknown_hook(loaded)
        if not problem:
            host.register(loaded, entry.name)
            host.check_pending()
            if not host.get_hookcallers(loaded):
                problem = (
                    "implements no hook: write `@hookimpl` above `vitrine_make_ranker`; see vitrine.plugin"
                )
    except KeyboardInterrupt:
        raise
    except Timeout as late:
        problem = f"{_FAILED}: its import {late}"
    except BaseException as error:
        log.exception("ranking plugin '%s' cannot be loaded", entry.name)
        problem = f"{_FAILED}: {type(error).__name__}: {words(error)}"
        if isinstance(error, ImportError) and (error.name or "").startswith("vitrine."):
            problem += (
                f"; it may be written for another contract than {contract.CONTRACT}, which this server has"
            )
    return Plugin(entry.name, _origin(entry), None if problem else host, problem)


def marked_hooks(loaded: object) -> list[str]:
    """What bears the mark of a hook in a module, whether or not there is such a hook."""
    mark = f"{contract.PROJECT}_impl"
    return [name for name, value in getattr(loaded, "__dict__", {}).items() if hasattr(value, mark)]


def _unknown_hook(loaded: object) -> str:
    """What is wrong with the names of its hooks; empty when nothing is."""
    for name in marked_hooks(loaded):
        if name not in _OFFERS:
            return f"implements '{name}', which is no hook; {nearest(name, _OFFERS)}"
    return ""


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""


def _other_contract(version: object) -> str:
    """Why a plugin with such a version of the contract is refused; empty when it is not."""
    ours = contract.CONTRACT
    if version is None:
        return (
            f"says no contract version: add `{_VERSION} = {ours}` to its module, having read vitrine.plugin"
        )
    # True is 1, and yet no version.
    if type(version) is int and version == ours:
        return ""
    if isinstance(version, int) and version > ours:
        return f"is written for contract {version}, and this server has {ours}: update Vitrine, or install an older version of it"
    return f"is written for contract {version!r}, and this server has {ours}: install a newer version of it"
