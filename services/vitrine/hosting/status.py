"""How plugins fare, for the people who run the server."""

from collections.abc import Sequence

from vitrine.config import Config
from vitrine.domain.plugins import PartStatus, PluginState, PluginStatus
from vitrine.hosting.discovery import Plugin
from vitrine.hosting.hosted import Hosted
from vitrine.hosting.rankers import Rankers

_STATES = {
    "on": PluginState.ON,
    "tripped": PluginState.TRIPPED,
    "hung": PluginState.HUNG,
}


def statuses(rankers: Rankers, found: Sequence[Plugin], config: Config) -> tuple[PluginStatus, ...]:
    """Every plugin of which a ranker or columns are wanted, by name.

    Args:
        rankers: What was made of them.
        found: What is installed.
        config: What is done with each, and the scenes.
    """
    origins = {plugin.name: plugin.distribution for plugin in found}
    restarting = {name for name, apart in rankers.elsewhere.items() if apart.restarting}
    rankers_of: dict[str, Hosted | str] = {**rankers.hosted, **rankers.off}
    columns_of: dict[str, Hosted | str] = {**rankers.hosted_blocks, **rankers.blocks_off}
    versions = {name: ranker.version for name, ranker in rankers.ready.items()}
    return tuple(
        PluginStatus(
            name=name,
            distribution=origins.get(name, ""),
            isolation=config.plugin(name).isolation,
            ranker=_part(rankers_of.get(name), versions.get(name, ""), restarting=name in restarting),
            features=_part(columns_of.get(name), "", restarting=name in restarting),
            scenes=tuple(
                scene for scene, told in config.scenes.items() if name in (*told.rankers, told.reranker)
            ),
            restarts=rankers.elsewhere[name].restarts if name in rankers.elsewhere else 0,
        )
        for name in sorted({*rankers_of, *columns_of})
    )


def _part(part: Hosted | str | None, version: str, *, restarting: bool) -> PartStatus | None:
    """The status of a part that is hosted, off for a reason, or not wanted."""
    if part is None:
        return None
    if isinstance(part, str):
        return PartStatus(PluginState.OFF, part)
    state, counts = part.state, part.counts
    return PartStatus(
        PluginState.RESTARTING if restarting else _STATES[state.name],
        "its process is being started again" if restarting else state.message,
        version,
        part.budget,
        counts.calls,
        max(counts.failures - counts.timeouts, 0),
        counts.timeouts,
        part.hung,
    )
