"""Recording events durably, beside a store that only writes."""

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import grpc

from tests.load.messages import read
from tests.load.recording import EVENTS, IN_FLIGHT
from tests.load.rows.base import Row, World, cpu_seconds, main
from tests.load.traffic import Traffic
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc

# Calls until as much waits to be written as ever does, and calls that are measured, each second of a run.
_WARM = 1_800
_CALLS = 120


def rows(world: World) -> Iterator[Row]:
    """The ratio in one process, then events over gRPC."""
    shop = world.shop
    calls = max(240, round(_CALLS * world.seconds))
    world.say("recording events beside a bare store")
    found = world.child(
        "tests.load.recording",
        *("--data", str(shop.data), "--store", str(world.fresh_store()), "--as-of", shop.as_of),
        *("--calls", str(calls), "--warm", str(_WARM)),
    )
    ours, bare, replayed, whole = (found[name] for name in ("ours", "bare", "replayed", "whole"))
    yield Row(
        what="`RecordEvents`, durable, batches of 100: events/s ÷ what the bare store does with the same event rows, "
        "profile writes and syncs",
        value=bare["wall"] / ours["wall"],
        bound=0.5,
        at_most=False,
        tolerance=1.5,
        details={
            "events/s": f"{1e6 / ours['wall']:,.0f}",
            "bare store": f"{1e6 / bare['wall']:,.0f}/s",
            "bare store that writes keys as late as ours": f"{1e6 / replayed['wall']:,.0f}/s, ratio {replayed['wall'] / ours['wall']:.2f}",
            "bare store that writes every profile whole at every event": f"{1e6 / whole['wall']:,.0f}/s, ratio {whole['wall'] / ours['wall']:.2f}",
            "CPU an event, in this order": " · ".join(
                f"{one['cpu']:.0f} µs" for one in (ours, bare, replayed, whole)
            ),
            "ratios by CPU": " · ".join(f"{one['cpu'] / ours['cpu']:.2f}" for one in (bare, replayed, whole)),
            "events a profile written": f"{found['events_per_profile']:.1f}",
            "events a sync": f"{found['events_per_sync']:.0f}",
            "Gorse": "11,600/s",
            "Metarank": "1,000 to 3,000/s",
        },
        note=f"from the bytes of a request to those of its answer, {IN_FLIGHT} calls on their way; the wire is in the "
        "next row; half as many events may wait as in a server, so that profiles are written more often. The first bare "
        "store writes the key of each event with it, and the profiles that ours wrote",
    )
    yield _over_grpc(world, calls)


def _over_grpc(world: World, calls: int) -> Row:
    world.say("recording events over gRPC")
    file = world.scratch / "events.bin"
    traffic = Traffic(world.shop.data, world.scratch)
    traffic.events(file, _WARM + calls, f"grpc-{time.time_ns()}", per_call=EVENTS)
    requests = read(file, profile_pb2.RecordEventsRequest, _WARM + calls)
    with world.server() as server, grpc.insecure_channel(server.address) as channel:
        stub = profile_pb2_grpc.ProfileServiceStub(channel)
        _send(stub, requests[:_WARM])
        spent, started = cpu_seconds(server.pid), time.perf_counter()
        _send(stub, requests[_WARM:])
        wall, spent = time.perf_counter() - started, cpu_seconds(server.pid) - spent
    events = calls * EVENTS
    return Row(
        what="`RecordEvents` over gRPC, durable, batches of 100, one process: events/s ÷ 20,000",
        value=events / wall / 20_000,
        at_most=False,
        checked=False,
        short=f"`RecordEvents` on one core, durable, batches of {EVENTS}: {events / wall:,.0f} events/s, with nothing else to do",
        details={
            "events/s": f"{events / wall:,.0f}",
            "CPU of the server an event": f"{spent / events * 1e6:.0f} µs",
            "events/s that a core could do": f"{events / spent:,.0f}",
        },
        note=f"{IN_FLIGHT} calls on their way; before as many events wait as may, when more profiles are written",
    )


def _send(stub: Any, requests: list[profile_pb2.RecordEventsRequest]) -> None:
    waiting: deque[Any] = deque()
    for request in requests:
        if len(waiting) == IN_FLIGHT:
            _check(waiting.popleft().result())
        waiting.append(stub.RecordEvents.future(request, timeout=60))
    for call in waiting:
        _check(call.result())


def _check(answer: profile_pb2.RecordEventsResponse) -> None:
    if any(verdict.status != profile_pb2.EVENT_STATUS_ACCEPTED for verdict in answer.verdicts):
        raise RuntimeError("an event was not accepted")


if __name__ == "__main__":
    main(rows)
