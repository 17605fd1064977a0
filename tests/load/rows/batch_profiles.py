"""A hundred profiles in one call, beside a hundred calls."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import grpc

from tests.load.rows.base import Row, World, cpu_seconds, main
from tests.load.traffic import Traffic
from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc

_BATCH = 100
_SHOPPERS = 400
_ROUNDS = 9
# How often all are asked for in a round, so that either is a good part of a second: the clock has steps of 10 ms.
_SINGLE_TIMES, _BATCH_TIMES = 3, 40
# A server that starts goes on with some work behind; it is done when nothing was used for so long.
_QUIET_SECONDS, _MOST_SECONDS = 3.0, 30.0


def rows(world: World) -> Iterator[Row]:
    """Both take turns over the same shoppers, who are in memory as those of a shop mostly are; then those who are not."""
    world.say("profiles one by one and a hundred at once")
    subjects = Traffic(world.shop.data, world.scratch).subjects(_SHOPPERS)
    with _profiles(world) as (pid, stub):
        first = _spent(pid, lambda: _one_by_one(stub, subjects)) / _SHOPPERS
        single, batch = [], []
        for turn in range(_ROUNDS + 1):
            # What was second is first the next time: what the machine does else meets both.
            for one_by_one in (turn % 2 == 0, turn % 2 == 1):
                if one_by_one:
                    spent = _spent(pid, lambda: _one_by_one(stub, subjects * _SINGLE_TIMES))
                    single.append(spent / _SINGLE_TIMES / _SHOPPERS)
                else:
                    spent = _spent(pid, lambda: _together(stub, subjects * _BATCH_TIMES))
                    batch.append(spent / _BATCH_TIMES / _SHOPPERS)
    with _profiles(world) as (pid, stub):
        cold = _spent(pid, lambda: _together(stub, subjects)) / _SHOPPERS
    # The first turn warms up.
    shares = sorted(many / one for many, one in zip(batch[1:], single[1:], strict=True))
    one, hundred = median(single[1:]), _BATCH * median(batch[1:])
    yield Row(
        what="`BatchGetProfiles` for 100 shoppers ÷ 100 single calls: CPU",
        value=median(shares),
        bound=0.15,
        details={
            "100 at once": f"{hundred * 1e3:.1f} ms",
            "one": f"{one * 1e3:.2f} ms",
            "the ratio by round": f"{shares[0]:.3f} to {shares[-1]:.3f}",
            "read for the first time": f"{_BATCH * cold * 1e3:.1f} and {first * 1e3:.2f} ms",
        },
        note="CPU of the server; shoppers drawn by a Zipf law, so that some come twice",
    )


@contextmanager
def _profiles(world: World) -> Iterator[tuple[int, Any]]:
    """A server that has read no profile yet: its process, and what calls it."""
    with (
        world.server() as server,
        grpc.insecure_channel(server.address, options=[("grpc.max_receive_message_length", -1)]) as channel,
    ):
        _wait_until_quiet(server.pid)
        yield server.pid, profile_pb2_grpc.ProfileServiceStub(channel)


def _wait_until_quiet(pid: int) -> None:
    began = quiet = time.monotonic()
    used = cpu_seconds(pid)
    while (now := time.monotonic()) < min(quiet + _QUIET_SECONDS, began + _MOST_SECONDS):
        time.sleep(0.2)
        if cpu_seconds(pid) > used + 0.02:
            used, quiet = cpu_seconds(pid), now


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
