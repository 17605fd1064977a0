"""Traces."""

import math

import numpy as np

from vitrine.api.common.v1 import common_pb2 as pb
from vitrine.domain.answer import DegradationCode
from vitrine.domain.trace import Trace
from vitrine.wire.times import duration_to_proto


def trace_to_proto(trace: Trace) -> pb.Trace:
    """As sent."""
    return pb.Trace(
        steps=[
            pb.TraceStep(
                name=name,
                duration=None if math.isnan(seconds) else duration_to_proto(seconds),
                ranks=ranks,
                left_out=pb.DegradationCode.ValueType(code or 0),
            )
            for name, seconds, ranks, code in zip(
                trace.names, trace.seconds.tolist(), trace.ranks.tolist(), trace.left_out, strict=True
            )
        ]
    )


def trace_from_proto(message: pb.Trace) -> Trace:
    """As received."""
    steps = message.steps
    return Trace(
        names=tuple(step.name for step in steps),
        seconds=np.array(
            [s.duration.ToNanoseconds() / 1e9 if s.HasField("duration") else math.nan for s in steps],
            np.float64,
        ),
        ranks=np.array([list(step.ranks) for step in steps], np.int64),
        left_out=tuple(DegradationCode(s.left_out) if s.left_out else None for s in steps),
    )
