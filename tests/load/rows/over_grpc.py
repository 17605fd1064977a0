"""What the wire costs: a recommendation over gRPC beside the same pipeline in a bare loop."""

from collections.abc import Iterator
from secrets import token_hex
from statistics import median
from typing import Any

import grpc

from tests.load.loading import READS_PER_EVENT, Loader
from tests.load.messages import read
from tests.load.rows import bare
from tests.load.rows.base import Row, World, main
from tests.load.suite import prepare
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2, recommendation_pb2_grpc

_ROUNDS = 3


def rows(world: World) -> Iterator[Row]:
    """Measures both in turns, each alone on the server's core, and divides the medians."""
    served, alone = [], []
    with world.server() as server:
        loader, _ = prepare(world, server)
        calls = loader.run("recommend", seconds=max(1.0, world.seconds / 3), events=0).achieved
        for _ in range(_ROUNDS):
            _events(server.address, loader, round(calls * world.seconds / 2))
            served.append(loader.run("recommend", seconds=world.seconds / 2, events=0).cpu)
            alone.append(bare.per_call(world))
    yield Row(
        what="`Recommend` over gRPC, one process: CPU per request ÷ CPU per call of the same pipeline in a bare loop",
        value=median(served) / median(alone),
        bound=1.3,
        details={
            "over gRPC": f"{median(served):.2f} ms",
            "bare loop": f"{median(alone):.2f} ms",
            "rounds": ", ".join(f"{s / a:.2f}" for s, a in zip(served, alone, strict=True)),
        },
        note="one caller, as the bare loop has; in both, one of ten shoppers has done something just before",
    )


def _events(address: str, loader: Loader, calls: int) -> None:
    """A new event for one in ten of the shoppers who ask next: before the time that is measured, as in the bare loop."""
    asks = read(loader.folder / "recommend.bin", recommendation_pb2.RecommendRequest, calls)
    with grpc.insecure_channel(address) as channel:
        front: Any = recommendation_pb2_grpc.RecommendationServiceStub(channel)
        profile: Any = profile_pb2_grpc.ProfileServiceStub(channel)
        items = [item.item_id for item in front.Recommend(asks[0], timeout=10).items]
        for number, ask in enumerate(asks[::READS_PER_EVENT]):
            event = profile_pb2.Event(
                event_id=token_hex(8),
                subject=ask.subject,
                item_id=items[number % len(items)],
                type=profile_pb2.EVENT_TYPE_VIEW,
            )
            profile.RecordEvents(profile_pb2.RecordEventsRequest(events=[event]), timeout=10)


if __name__ == "__main__":
    main(rows)
