"""How plugins fare."""

from vitrine.api.ranking.v1 import ranking_pb2 as pb
from vitrine.domain.plugins import PartStatus, Plugins
from vitrine.wire.times import duration_to_proto, timestamp_to_proto


def plugins_to_proto(plugins: Plugins) -> pb.ListRankersResponse:
    """As sent."""
    return pb.ListRankersResponse(
        plugins=[
            pb.Plugin(
                name=one.name,
                distribution=one.distribution,
                isolation=one.isolation,
                ranker=_part(one.ranker),
                features=_part(one.features),
                scenes=one.scenes,
                restarts=one.restarts,
            )
            for one in plugins.plugins
        ],
        bundle_version=plugins.bundle,
        since=timestamp_to_proto(plugins.since),
    )


def _part(part: PartStatus | None) -> pb.PluginPart | None:
    if part is None:
        return None
    return pb.PluginPart(
        version=part.version,
        state=pb.PluginState.ValueType(part.state),
        message=part.message,
        budget=duration_to_proto(part.budget) if part.budget else None,
        calls=part.calls,
        failures=part.failures,
        timeouts=part.timeouts,
    )
