"""Makes the parts of one plugin, and survives whatever it does meanwhile."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy
from pydantic import ValidationError

from vitrine.bundle import AttachedBundle
from vitrine.config import Config, PluginConfig
from vitrine.errors import PluginFailed, Timeout
from vitrine.hosting.discovery import Plugin
from vitrine.hosting.facts import Misfit
from vitrine.hosting.patience import START_SECONDS, within
from vitrine.hosting.plain import words
from vitrine.plugin import LoadContext, MissingData

if TYPE_CHECKING:
    from vitrine.hosting.process import IsolatedPlugin

log = logging.getLogger(__name__)

F = TypeVar("F")


class PluginMaker:
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
                made = within(START_SECONDS, partial(self._call, hook))
        except MissingData as missing:
            # pluggy's frame holds the error and its traceback holds the frame, with the bundle in it: one must go.
            missing.__traceback__ = None
            return words(missing)
        except Timeout as late:
            log.warning("%s of a ranking plugin %s", hook, late)
            return f"failed to start: {hook} {late}"
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

    def _call(self, hook: str) -> Any:
        return None if self._host is None else getattr(self._host.hook, hook)(load=self._load)

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
