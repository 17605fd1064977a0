"""Makes rankers and feature columns of the plugins for one bundle, and seats each with its budget and its breaker."""

import contextvars
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
from pydantic import ValidationError

from vitrine.bundle import AttachedBundle
from vitrine.config import Config, PluginConfig
from vitrine.domain.columns import pinned
from vitrine.errors import PluginFailed
from vitrine.hosting.breaker import Breaker
from vitrine.hosting.discovery import Plugin
from vitrine.hosting.facts import BlockFacts, Misfit, RankerFacts, block_facts, ranker_facts
from vitrine.hosting.hosted import Hosted
from vitrine.hosting.observer import SILENT, Observer
from vitrine.hosting.plain import words
from vitrine.hosting.rankers import Rankers
from vitrine.plugin import LoadContext, MissingData

if TYPE_CHECKING:
    from vitrine.hosting.process import IsolatedPlugin

log = logging.getLogger(__name__)

F = TypeVar("F")


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
    makers: dict[str, _Maker] = {}

    def maker(name: str) -> _Maker:
        if name not in makers:
            makers[name] = _Maker(name, by_name.get(name), config.plugin(name), bundle, config)
        return makers[name]

    def seat(component: str, name: str, part: Any, facts: RankerFacts | BlockFacts) -> Hosted:
        return Hosted(
            f"{component}:{name}",
            part,
            (config.plugin(name).budget_ms or facts.budget_ms) / 1000,
            Breaker(config.ranking.failures, config.ranking.retry_seconds),
            observer,
            maker(name).elsewhere,
        )

    ready: dict[str, RankerFacts] = {}
    hosted: dict[str, Hosted] = {}
    off: dict[str, str] = {}
    for name in names:
        made = maker(name).make("vitrine_make_ranker", partial(ranker_facts, name))
        if isinstance(made, str):
            off[name] = made
        else:
            part, ready[name] = made
            hosted[name] = seat("ranker", name, part, ready[name])
    columns: dict[str, BlockFacts] = {}
    hosted_columns: dict[str, Hosted] = {}
    columns_off: dict[str, str] = {}
    pins = _pins(bundle)
    for name in dict.fromkeys((*blocks, *_followed(ready, by_name))):
        block = maker(name).make("vitrine_make_features", partial(block_facts, name, pins.get(name, {})))
        if isinstance(block, str):
            columns_off[name] = block
        else:
            part, columns[name] = block
            hosted_columns[name] = seat("features", name, part, columns[name])
    for component, why in (("ranker", off), ("features", columns_off)):
        for name in why:
            observer.plugin_state(f"{component}:{name}", on=False)

    elsewhere = {name: one.elsewhere for name, one in makers.items() if one.elsewhere is not None}
    return Rankers(ready, off, hosted, columns, columns_off, hosted_columns, elsewhere)


class _Maker:
    """Makes the parts of one plugin, here or in a process of its own."""

    def __init__(
        self,
        name: str,
        plugin: Plugin | None,
        settings: PluginConfig,
        bundle: AttachedBundle | None,
        config: Config,
    ) -> None:
        self.elsewhere: IsolatedPlugin | None = None
        self._host: pluggy.PluginManager | None = None
        self._load = LoadContext(bundle, settings.settings)
        self._why = ""
        if not settings.enabled:
            self._why = f"switched off in the configuration (plugins.{name}.enabled)"
        elif plugin is None:
            self._why = f"no installed package offers a plugin '{name}'; see `vitrine plugins`"
        elif settings.isolation == "process":
            # Its settings are read there.
            self._start(name, settings, bundle, config)
        elif plugin.host is None:
            self._why = words(plugin.public_error) or "not imported yet; reload the configuration"
        else:
            self._host = plugin.host
            self._why = self._read_settings(plugin, settings)

    def make(self, hook: str, facts: Callable[[object], F]) -> tuple[Any, F] | str:
        """What the hook makes and what that says of itself, or why there is nothing."""
        if self._why:
            return self._why
        try:
            if self.elsewhere is not None:
                made: Any = self.elsewhere.ranker if hook == "vitrine_make_ranker" else self.elsewhere.block
            else:
                # In a context of its own: numpy's `seterr` there would have our arithmetic raise.
                hooks = contextvars.copy_context()
                made = self._host and hooks.run(getattr(self._host.hook, hook), load=self._load)
        except MissingData as missing:
            # pluggy's frame holds the error and its traceback holds the frame, with the bundle in it: one must go.
            missing.__traceback__ = None
            return words(missing)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            log.exception("a ranking plugin failed to start")
            error.__traceback__ = None
            return f"failed to start: {type(error).__name__}"
        try:
            return made, facts(made)
        except Misfit as misfit:
            return words(misfit)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # An attribute of its own that raises; SystemExit, too, would end the server.
            log.exception("a ranking plugin says nothing of itself")
            return f"failed to start: {type(error).__name__}"

    def _read_settings(self, plugin: Plugin, settings: PluginConfig) -> str:
        try:
            model = plugin.settings_model()
            if model is not None:
                self._load = LoadContext(self._load.bundle, model.model_validate(settings.settings))
        except ValidationError as error:
            # Its text would repeat the values, which may be secrets.
            wrong = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
            return f"its settings are refused ({wrong}); see `vitrine config check`"
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            log.exception("the settings of ranking plugin '%s' cannot be read", plugin.name)
            return f"failed to start: {type(error).__name__}"
        return ""

    def _start(
        self, name: str, settings: PluginConfig, bundle: AttachedBundle | None, config: Config
    ) -> None:
        # Only who asks for it pays for it.
        from vitrine.hosting.process import IsolatedPlugin

        try:
            self.elsewhere = IsolatedPlugin.start(
                name,
                bundle_path=None if bundle is None else bundle.bundle.path,
                bundle_version="" if bundle is None else bundle.version,
                settings=settings.settings,
                config=settings,
                inference=config.inference,
            )
        except MissingData as missing:
            self._why = words(missing)
        except PluginFailed as failed:
            self._why = f"failed to start in a process of its own: {failed}"


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
