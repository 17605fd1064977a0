"""Versions, degradations and reasons."""

from collections.abc import Iterable

from vitrine.api.common.v1 import common_pb2 as pb
from vitrine.domain.answer import Degradation, DegradationCode, Reason, ReasonCode, Versions


def versions_to_proto(versions: Versions) -> pb.Versions:
    """As sent."""
    return pb.Versions(
        bundle=versions.bundle,
        server=versions.server,
        config=versions.config,
        plugins=[pb.PluginVersion(name=name, version=version) for name, version in versions.plugins],
    )


def versions_from_proto(message: pb.Versions) -> Versions:
    """As received."""
    return Versions(
        message.bundle, message.server, message.config, tuple((p.name, p.version) for p in message.plugins)
    )


def degraded_to_proto(degraded: Iterable[Degradation]) -> list[pb.Degradation]:
    """As sent."""
    return [
        pb.Degradation(component=d.component, code=pb.DegradationCode.ValueType(d.code), message=d.message)
        for d in degraded
    ]


def degraded_from_proto(messages: Iterable[pb.Degradation]) -> tuple[Degradation, ...]:
    """As received."""
    return tuple(Degradation(m.component, DegradationCode(m.code), m.message) for m in messages)


def put_reason(reason: Reason, message: pb.Reason) -> None:
    """Writes it into an empty message, which is there then even if nothing is known."""
    message.SetInParent()
    if reason.code is not None:
        message.code = pb.ReasonCode.ValueType(reason.code)
    message.item_ids.extend(reason.item_ids)
    message.text = reason.text


def reason_to_proto(reason: Reason) -> pb.Reason:
    """As sent."""
    message = pb.Reason()
    put_reason(reason, message)
    return message


def reason_from_proto(message: pb.Reason) -> Reason:
    """As received."""
    return Reason(ReasonCode(message.code) if message.code else None, tuple(message.item_ids), message.text)
