"""What a server will do with a configuration, scene by scene, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vitrine.app.changes import changes
from vitrine.app.fields import toml
from vitrine.app.scene_words import doubts, words
from vitrine.config import Config, PluginConfig, SceneConfig
from vitrine.hosting import Plugin, Rankers


@dataclass(frozen=True, slots=True)
class Step:
    """A ranker, or a block of feature columns, of a scene.

    Attributes:
        name: Of the plugin.
        counts: Its part in the order, for example "0.4" or "decides".
        package: The package and version it comes from; "" when none is installed.
        runs: Where.
        budget: Time for a call, in words.
        off: Why it does not run; "" when it does.
    """

    name: str
    counts: str
    package: str
    runs: str
    budget: str
    off: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A scene.

    Attributes:
        scene: Its name.
        description: What it is for.
        words: What happens, a sentence each.
        steps: The plugins in the order in which they run.
        doubts: What is allowed and cannot be meant.
    """

    scene: str
    description: str
    words: tuple[str, ...]
    steps: tuple[Step, ...]
    doubts: tuple[str, ...]


def pipelines(config: Config, plugins: Sequence[Plugin], made: Rankers | None = None) -> list[Pipeline]:
    """All scenes.

    Args:
        config: The configuration.
        plugins: Those that are installed.
        made: What they made of a bundle; unless told, what only a bundle tells is left out.
    """
    steps = _Steps(config, {plugin.name: plugin for plugin in plugins}, made)
    return [
        Pipeline(
            name,
            scene.description,
            tuple(words(scene, decides=steps.decides(scene))),
            tuple(steps.of(scene)),
            tuple(doubts(scene)),
        )
        for name, scene in config.scenes.items()
    ]


def differences(usual: Config, config: Config) -> list[str]:
    """What a configuration has otherwise than another, a line each, less the values of plugins' settings.

    Those may be secrets.
    """
    lines: list[str] = []
    for key, before, after in changes(usual, config):
        if key.startswith("plugins."):
            lines += _plugin_lines(key, after)
        elif isinstance(after, dict) and before is None and key.count(".") == 1:
            lines.append(f"{key}: a scene of this file")
        else:
            was = "not there by default" if before is None else f"by default {toml(before)}"
            lines.append(f"{key} = {toml(after)} ({was})")
    return lines


def unchecked(config: Config, plugins: Sequence[Plugin]) -> list[str]:
    """Settings that no model of a plugin checks."""
    return [
        f"plugins.{plugin.name}.settings: the plugin has no model of them, so mistakes in them stay unseen"
        for plugin in plugins
        if config.plugin(plugin.name).settings and plugin.host is not None and "settings" not in plugin.offers
    ]


class _Steps:
    """Makes steps."""

    def __init__(self, config: Config, plugins: Mapping[str, Plugin], made: Rankers | None) -> None:
        self._config = config
        self._plugins = plugins
        self._made = made

    def of(self, scene: SceneConfig) -> Iterator[Step]:
        blocks = () if self._made is None else (*self._made.blocks, *self._made.blocks_off)
        for name in dict.fromkeys((*self._config.features, *blocks)):
            yield self._step(name, "columns")
        for name in scene.rankers if self._made is None else self._made.in_order(scene.rankers):
            yield self._step(name, f"{scene.weights[name]:g}")
        if scene.reranker:
            yield self._step(scene.reranker, "decides")

    def decides(self, scene: SceneConfig) -> bool:
        """Whether the reranker will."""
        return any(step.counts == "decides" and not step.off for step in self.of(scene))

    def _step(self, name: str, counts: str) -> Step:
        told, plugin, made = self._config.plugin(name), self._plugins.get(name), self._made
        part: Any = None
        if made is None:
            off = _off(name, told, plugin)
        elif counts == "columns":
            part, off = made.blocks.get(name), made.blocks_off.get(name, "")
        else:
            part, off = made.ready.get(name), made.off.get(name, "")
        budget = told.budget_ms or getattr(part, "budget_ms", None)
        return Step(
            name=name,
            counts=counts,
            package=plugin.distribution if plugin else "",
            runs=_where(told),
            budget="as it declares" if budget is None else f"{budget:g} ms",
            off=off,
        )


def _off(name: str, told: PluginConfig, plugin: Plugin | None) -> str:
    if not told.enabled:
        return f"switched off (plugins.{name}.enabled)"
    if plugin is None:
        return "not installed"
    return plugin.error


def _where(told: PluginConfig) -> str:
    if told.isolation == "thread":
        return "in the server"
    each = f"{told.memory_mb:,} MB"
    return f"in a process, {each}" if told.processes == 1 else f"in {told.processes} processes, {each} each"


def _plugin_lines(key: str, after: Any) -> Iterator[str]:
    """A plugin that the defaults do not mention comes as a whole: what is not usual about it."""
    if not isinstance(after, dict):
        yield f"{key} = {toml(after)}" if ".settings." not in key else f"{key} is set"
        return
    usual = PluginConfig().model_dump(mode="json")
    unusual = [f"{key}.{k} = {toml(v)}" for k, v in after.items() if k != "settings" and v != usual[k]]
    unusual += [f"{key}.settings.{k} is set" for k in after.get("settings", {})]
    yield from unusual
