"""A hundred profiles in one call, beside a hundred calls."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import grpc

from tests.load.rows.base import Row, World, cpu_seconds, main
from tests.load.traffic import Traffic
from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc

_BATCH = 100
_ROUNDS = 5
# Single calls of a round; batches for as many profiles are too few for a clock of 10 ms, so ten times as many.
_SINGLE = 400
_TIMES = 10


def rows(world: World) -> Iterator[Row]:
    """Both take turns over the same shoppers, who are in memory as those of a shop mostly are; then those who are not."""
    world.say("profiles one by one and a hundred at once")
    subjects = Traffic(world.shop.data, world.scratch).subjects(_SINGLE)
    with (
        world.server() as server,
        grpc.insecure_channel(server.address, options=[("grpc.max_receive_message_length", -1)]) as channel,
    ):
        stub = profile_pb2_grpc.ProfileServiceStub(channel)
        first = _spent(server.pid, lambda: _one_by_one(stub, subjects)) / _SINGLE
        _together(stub, subjects)
        single, batch = [], []
        for _ in range(_ROUNDS):
            single.append(_spent(server.pid, lambda: _one_by_one(stub, subjects)) / _SINGLE)
            batches = _spent(server.pid, lambda: _together(stub, subjects * _TIMES))
            batch.append(batches / _TIMES / (_SINGLE / _BATCH))
    with (
        world.server() as server,
        grpc.insecure_channel(server.address, options=[("grpc.max_receive_message_length", -1)]) as channel,
    ):
        stub = profile_pb2_grpc.ProfileServiceStub(channel)
        cold = _spent(server.pid, lambda: _together(stub, subjects)) / (_SINGLE / _BATCH)
    one, hundred = median(single) * 1e3, median(batch) * 1e3
    yield Row(
        what="`BatchGetProfiles` for 100 shoppers ÷ 100 single calls: CPU",
        value=hundred / (_BATCH * one),
        bound=0.15,
        details={
            "100 at once": f"{hundred:.1f} ms",
            "one": f"{one:.2f} ms",
            "read for the first time": f"{cold * 1e3:.1f} and {first * 1e3:.2f} ms",
        },
        note="CPU of the server; shoppers drawn by a Zipf law, so that some come twice",
    )


def _spent(pid: int, work: Any) -> float:
    before = cpu_seconds(pid)
    work()
    return cpu_seconds(pid) - before


def _one_by_one(stub: Any, subjects: Sequence[common_pb2.Subject]) -> None:
    for subject in subjects:
        stub.GetProfile(profile_pb2.GetProfileRequest(subject=subject), timeout=10)


def _together(stub: Any, subjects: Sequence[common_pb2.Subject]) -> None:
    for start in range(0, len(subjects), _BATCH):
        request = profile_pb2.BatchGetProfilesRequest(subjects=subjects[start : start + _BATCH])
        if len(stub.BatchGetProfiles(request, timeout=30).profiles) != _BATCH:
            raise RuntimeError("profiles are missing")


if __name__ == "__main__":
    main(rows)
