"""How the plugins of several workers fare, as one answer."""

from collections.abc import Iterable, Sequence

from vitrine.api.ranking.v1 import ranking_pb2 as pb


def merged_plugins(answers: Sequence[pb.ListRankersResponse]) -> pb.ListRankersResponse:
    """Counts of all together; a part is as it is where it fares worst."""
    merged = pb.ListRankersResponse()
    merged.CopyFrom(answers[0])
    others = [{plugin.name: plugin for plugin in answer.plugins} for answer in answers[1:]]
    for plugin in merged.plugins:
        more = [found[plugin.name] for found in others if plugin.name in found]
        plugin.restarts += sum(other.restarts for other in more)
        for part in ("ranker", "features"):
            if plugin.HasField(part):
                _merge(getattr(plugin, part), [getattr(o, part) for o in more if o.HasField(part)])
    return merged


def merged_parts(parts: Iterable[dict[str, bool]]) -> dict[str, bool]:
    """Whether each part is called, in all workers that have it."""
    merged: dict[str, bool] = {}
    for some in parts:
        for name, on in some.items():
            merged[name] = merged.get(name, True) and on
    return merged


def _merge(part: pb.PluginPart, others: Iterable[pb.PluginPart]) -> None:
    for other in others:
        part.calls += other.calls
        part.failures += other.failures
        part.timeouts += other.timeouts
        if part.state == pb.PLUGIN_STATE_ON and other.state != pb.PLUGIN_STATE_ON:
            part.state, part.message = other.state, other.message
