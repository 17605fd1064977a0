"""The scenes of a kind without what its data cannot have, so that not every answer has to say that it is missing."""

from collections.abc import Iterable, Mapping

from vitrine.config import Config, SceneConfig

# Which part of a bundle rankers and sources read that bundles may be without. Not those that learn from lists (`deep`,
# `lightgbm`) and not `interest`: where there is too little for them, a few weeks of events change that, and networks may
# have been left out for now; until then answers should say so.
_RANKERS = {
    "cf": "linear",
    "content": "content",
    "crowd": "shoppers",
    "factors": "factors",
    "follows": "follows",
    "shoppers": "shoppers",
    "visits": "visits",
}
_SOURCES = {name: name for name in ("co_visitation", "content", "factors", "follows", "linear", "visits")}


def lacking(scene: SceneConfig, off: Mapping[str, str]) -> dict[str, str]:
    """What a scene asks for and a bundle has no part for.

    Args:
        scene: The scene.
        off: Part that is missing -> why, as the bundle's manifest has it.

    Returns:
        ``ranker:NAME`` and ``source:NAME`` -> why. Where no source would be left, none is named: answers are to say so.
    """
    found = {f"ranker:{name}": off[p] for name in scene.rankers if (p := _RANKERS.get(name, "")) in off}
    sources = {f"source:{s}": off[p] for s in scene.active_sources if (p := _SOURCES.get(s, "")) in off}
    return found | (sources if len(sources) < len(scene.active_sources) else {})


def without(gone: Iterable[str]) -> dict[str, dict[str, float]]:
    """The fields of a scene that leave these out, to be laid over it."""
    parts = [name.partition(":") for name in gone]
    weights = {name: 0.0 for kind, _, name in parts if kind == "ranker"}
    sources: dict[str, float] = {name: 0 for kind, _, name in parts if kind == "source"}
    return {field: value for field, value in (("weights", weights), ("sources", sources)) if value}


def fitted(config: Config, scene: str, off: Mapping[str, str]) -> tuple[Config, dict[str, str]]:
    """The configuration with a scene that goes without what a bundle lacks, and what that is; see `lacking`."""
    whole = config.scenes[scene]
    gone = lacking(whole, off)
    changes = {name: {**getattr(whole, name), **zeros} for name, zeros in without(gone).items()}
    scenes = {**config.scenes, scene: whole.model_copy(update=changes)}
    return config.model_copy(update={"scenes": scenes}), gone
