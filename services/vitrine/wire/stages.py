"""Stages of a request, as parallel columns."""

from math import inf

from vitrine.api.common.v1 import common_pb2 as pb
from vitrine.domain.stages import Stage


def stages_to_proto(stages: tuple[Stage, ...]) -> pb.Stages:
    """As sent."""
    return pb.Stages(
        names=[s.name for s in stages],
        seconds=[s.seconds for s in stages],
        cpu_seconds=[s.cpu for s in stages],
    )


def stages_from_proto(message: pb.Stages) -> tuple[Stage, ...]:
    """As received; what columns of different lengths leave over is left out, and what is no time is 0."""
    columns = zip(message.names, message.seconds, message.cpu_seconds, strict=False)
    return tuple(Stage(name, _time(seconds), _time(cpu)) for name, seconds, cpu in columns)


def _time(seconds: float) -> float:
    # Sums that it goes into never lose a NaN again, and may not fall.
    return seconds if 0 < seconds < inf else 0.0
