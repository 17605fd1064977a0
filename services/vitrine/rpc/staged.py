"""Measures a request from the message that came to the message that leaves, around gRPC's handler.

gRPC calls parser, handler and serialiser of a call in one task: what the parser begins, the serialiser ends.
"""

from collections.abc import Callable
from typing import Any

from vitrine.api.recommendation.v1 import recommendation_pb2 as pb
from vitrine.domain.stages import Laps, Spent, current_spent
from vitrine.rpc.metrics import Metrics
from vitrine.wire.stages import stages_to_proto

# What is measured.
STAGED = frozenset({"/vitrine.api.recommendation.v1.RecommendationService/Recommend"})


def opening(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A parser that begins to measure a request."""

    def parsing(data: bytes) -> Any:
        spent, laps = Spent(), Laps()
        current_spent.set(spent)
        request = parse(data)
        laps.lap("decode")
        spent.add(laps.stages)
        return request

    return parsing


def closing(serialise: Callable[[Any], bytes], metrics: Metrics) -> Callable[[Any], bytes]:
    """A serialiser that ends it, counts it, and tells it to who asked.

    What it tells is appended: the bytes of two messages one after the other are those of both merged (protobuf.dev,
    "Encoding", "Last one wins"), and so nothing is serialised twice to be measured.
    """

    def serialising(response: Any) -> bytes:
        laps = Laps()
        data = serialise(response)
        laps.lap("encode")
        spent = current_spent.get()
        if spent is None:
            return data
        spent.add(laps.stages)
        stages = spent.close()
        metrics.stages(stages)
        if not spent.wanted:
            return data
        return data + pb.RecommendResponse(stages=stages_to_proto(stages)).SerializeToString()

    return serialising


def failed(metrics: Metrics) -> None:
    """Counts a request that ends without a message: nothing will be serialised."""
    spent = current_spent.get()
    if spent is not None:
        metrics.stages(spent.close())
