"""The two pipelines that are compared: one with the plugin, one without it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from vitrine.config import Config
from vitrine_export.evaluate.serving import changed

# The say of a plugin that the configuration gives no weight, as a share of all weights.
SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Pipelines:
    """What is compared.

    Attributes:
        with_plugin: The configuration with it.
        without: The same without it, and nothing else changed.
        weights: The plugin's weight by scene; empty for a reranker.
        decided: Who gives the order in both, in words.
        by_weights: Whether weights do, although a scene has a reranker.
        retrained: Whether rerankers are to be trained for each of them.
    """

    with_plugin: Config
    without: Config
    weights: dict[str, float]
    decided: str
    by_weights: bool = False
    retrained: bool = False


def usual_weight(config: Config, scene: str) -> float:
    """A weight that gives a newcomer a tenth of the say, in two digits."""
    others = sum(abs(weight) for weight in config.scenes[scene].weights.values())
    return float(f"{others * SHARE / (1 - SHARE):.2g}") or 1.0


def joined(config: Config, name: str, scenes: Iterable[str], weight: float | None) -> Config:
    """The configuration in which the plugin has a say in some scenes.

    Args:
        config: The configuration.
        name: The plugin.
        scenes: Names of scenes.
        weight: Its weight; that of the configuration unless told, or `usual_weight` where it gives none.
    """
    for scene in scenes:
        weights = config.scenes[scene].weights
        if weight is None and weights.get(name):
            continue
        say = usual_weight(config, scene) if weight is None else weight
        config = changed(config, scene, weights={**weights, name: say})
    return config


def removed(config: Config, name: str) -> Config:
    """The configuration as if the plugin were not there: no weight, no reranker, no feature columns of it."""
    for scene, settings in config.scenes.items():
        left = {other: weight for other, weight in settings.weights.items() if other != name}
        reranker = "" if settings.reranker == name else settings.reranker
        config = changed(config, scene, weights=left, reranker=reranker)
    return config.model_copy(update={"features": tuple(f for f in config.features if f != name)})


def by_weights(config: Config, scenes: Iterable[str]) -> Config:
    """The configuration without the rerankers of some scenes."""
    for scene in scenes:
        config = changed(config, scene, reranker="")
    return config


def pipelines(
    config: Config,
    name: str,
    scenes: Collection[str],
    *,
    weight: float | None,
    readers: Collection[str],
    retrained: bool,
    ranker: bool = True,
    columns: bool = False,
) -> Pipelines:
    """The pipelines that tell what the plugin is worth.

    Where the order is given by a reranker that never met the plugin, its weight would change nothing; then weights
    decide in both.

    Args:
        config: The server's configuration.
        name: The plugin.
        scenes: The scenes that are asked for.
        weight: See `joined`.
        readers: Rerankers that learned with the plugin.
        retrained: Whether the rerankers are trained for each pipeline.
        ranker: Whether the plugin ranks.
        columns: Whether it contributes feature columns.
    """
    if any(config.scenes[scene].reranker == name for scene in scenes):
        told = f"'{name}' decides the order alone; without it, the weights of the scene do."
        return Pipelines(config, removed(config, name), {}, told)
    rerankers = dict.fromkeys(config.scenes[scene].reranker for scene in scenes)
    deciding = [reranker for reranker in rerankers if reranker]
    nothing = "; --retrain has nothing to train" if retrained else ""
    retrained = retrained and bool(deciding)
    weights: dict[str, float] = {}
    if ranker:
        config = joined(config, name, scenes, weight)
        weights = {scene: config.scenes[scene].weights[name] for scene in scenes}
    if columns and retrained and name not in config.features:
        config = config.model_copy(update={"features": (*config.features, name)})
    words = " and ".join(f"'{reranker}'" for reranker in deciding)
    strangers = [] if retrained else [s for s in scenes if config.scenes[s].reranker not in ("", *readers)]
    config = by_weights(config, strangers)
    if not deciding:
        told = f"The weights decide, as the scene has no reranker{nothing}."
    elif retrained:
        told = (
            f"The reranker {words} decides; it was trained twice on the same weeks, with and without '{name}'. The "
            "intervals tell the chance of who was asked, not that of training, which moves figures by itself."
        )
    elif strangers:
        told = (
            f"The weights decide in both lists: the reranker {words} has never seen '{name}', and would not look at "
            "it. --retrain trains it with and without."
        )
    else:
        told = (
            f"The reranker {words} learned with '{name}'; without it is what a server does where it is gone: "
            "nothing was trained again."
        )
    return Pipelines(config, removed(config, name), weights, told, bool(strangers), retrained)
