"""Columns that plugins contribute to the lists: which of the configured ones can be learned from, and why not others."""

from collections.abc import Iterable, Mapping, Sequence

from vitrine.config import Config
from vitrine.domain.answer import Degradation
from vitrine.domain.columns import Column, plugins_in
from vitrine.errors import ConfigError
from vitrine.hosting import Plugin
from vitrine.validation import nearest
from vitrine_export.train.ranking_data import RankingData


def refuse_unknown(config: Config, plugins: Sequence[Plugin]) -> None:
    """Refuses names of plugins that nothing installed has: most likely they are misspelt.

    Raises:
        ConfigError: There are some.
    """
    known = [plugin.name for plugin in plugins]
    for name in config.features:
        if name not in known:
            raise ConfigError(
                f"features names the plugin '{name}', which no installed package offers; {nearest(name, known)}"
            )


class Contributions:
    """What the configured plugins contribute, window by window.

    A plugin takes part in all lists or in none: one that fails once in millions of candidates would leave holes that no
    server has, and models that rest on a plugin which cannot be relied on.

    Attributes:
        off: ``features:PLUGIN`` of each that cannot be learned from -> why.
    """

    def __init__(self, plugins: Iterable[str]) -> None:
        self._plugins = tuple(dict.fromkeys(plugins))
        self._columns: dict[str, tuple[Column, ...]] = {}
        self.off: dict[str, str] = {}

    @property
    def plugins(self) -> tuple[str, ...]:
        """Those that can be learned from, as far as is known."""
        return tuple(p for p in self._plugins if _component(p) not in self.off)

    @property
    def columns(self) -> Mapping[str, Column]:
        """Their columns by name."""
        return {column.name: column for p in self.plugins for column in self._columns.get(p, ())}

    def enter(self, columns: Mapping[str, tuple[Column, ...]], off: Mapping[str, str]) -> None:
        """A new window.

        Args:
            columns: The columns of each plugin that could be made for it.
            off: Plugin that could not be made -> why.
        """
        for plugin in self.plugins:
            if plugin not in columns:
                self.off[_component(plugin)] = off.get(plugin, "it contributes no columns")
            elif self._columns.setdefault(plugin, columns[plugin]) != columns[plugin]:
                self.off[_component(plugin)] = "its columns are not the same for every bundle"

    def saw(self, degraded: Iterable[Degradation]) -> None:
        """Notes what was missing from lists."""
        mine = {_component(plugin) for plugin in self.plugins}
        self.off |= {d.component: d.message for d in degraded if d.component in mine}

    def kept(self, data: RankingData) -> RankingData:
        """Lists without the columns of plugins that turned out not to be reliable."""
        gone = {name for name in data.names if plugins_in([name]) and name not in self.columns}
        return data.without(gone) if gone else data


def _component(plugin: str) -> str:
    return f"features:{plugin}"
