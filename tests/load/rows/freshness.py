"""From the acknowledgement of an event to a recommendation that it changed, under load."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np

from tests.load.rows.base import Row, World, main
from tests.load.suite import find_peak, prepare
from tests.load.traffic import recommend
from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2_grpc

_WHAT = "event acknowledged → changed recommendation, p99 ÷ p99 of one `Recommend`, both at half of the peak"
# Trials a second: each asks twice and records once, beside the load.
_PACE = 10
_TRIALS_PER_SECOND_OF_RUN = 40
_WARM = 20
_PATIENCE = 10.0


def rows(world: World) -> Iterator[Row]:
    """Hides the first item of a shopper's window, and waits until it is gone, some hundred times under load."""
    trials = round(_TRIALS_PER_SECOND_OF_RUN * world.seconds) + _WARM
    with world.server() as server, ThreadPoolExecutor(1) as beside:
        loader, _ = prepare(world, server)
        peak, _ = find_peak(loader, "recommend", world.seconds / 2)
        rate = round(peak / 2) - 2 * _PACE
        if rate < 1:
            yield Row(what=_WHAT, value=None, bound=2, note=f"the peak, {peak}/s, leaves no room for trials")
            return
        load = beside.submit(loader.run, "recommend", seconds=trials / _PACE, rate=rate)
        times = np.array(_trials(server.address, loader.traffic.subjects(trials)))
        errors = load.result().errors
    plain, changed, asked = times[_WARM:].T
    yield Row(
        what=_WHAT,
        value=float(np.percentile(changed, 99) / np.percentile(plain, 99)),
        bound=2,
        tolerance=2,
        short=f"An acknowledged event has changed the shopper's next window within {np.percentile(changed, 99):.0f} ms at p99, "
        f"beside {rate + 2 * _PACE} calls/s",
        details={
            "until changed, p50 and p99": "{:.1f} and {:.1f} ms".format(*np.percentile(changed, [50, 99])),
            "one call, p50 and p99": "{:.1f} and {:.1f} ms".format(*np.percentile(plain, [50, 99])),
            "trials": f"{len(changed)}, at {rate + 2 * _PACE} calls/s in all",
            "had to ask again": f"{np.sum(asked > 1):.0f}",
            "Gorse": "the next hourly cycle",
            "AWS Personalize": "1 to 2 s",
        },
        note=f"{errors} errors of the load meanwhile" if errors else "",
    )


def _trials(address: str, subjects: list[common_pb2.Subject]) -> list[tuple[float, float, int]]:
    """Of each: milliseconds of a plain call; from an acknowledgement to a changed window; calls that took."""
    # Uneven distances, so that trials do not beat in time with the load.
    rng = np.random.default_rng(11)
    nonce = f"fresh{time.time_ns():x}"
    found = []
    with grpc.insecure_channel(address) as channel:
        for number, subject in enumerate(subjects):
            due = time.perf_counter() + rng.uniform(0.5, 1.5) / _PACE
            found.append(_trial(channel, subject, f"{nonce}-{number}"))
            time.sleep(max(0.0, due - time.perf_counter()))
    return found


def _trial(channel: grpc.Channel, subject: common_pb2.Subject, event_id: str) -> tuple[float, float, int]:
    front: Any = recommendation_pb2_grpc.RecommendationServiceStub(channel)
    profile: Any = profile_pb2_grpc.ProfileServiceStub(channel)
    request = recommend(subject)
    began = time.perf_counter()
    hidden = front.Recommend(request, timeout=_PATIENCE).items[0].item_id
    plain = time.perf_counter() - began
    event = profile_pb2.Event(
        event_id=event_id, subject=subject, item_id=hidden, type=profile_pb2.EVENT_TYPE_HIDE
    )
    told = profile.RecordEvents(profile_pb2.RecordEventsRequest(events=[event]), timeout=_PATIENCE)
    if told.verdicts[0].status != profile_pb2.EVENT_STATUS_ACCEPTED:
        raise RuntimeError(f"an event was refused: {told.verdicts[0].message}")
    request.min_watermark = told.watermark
    began, asked = time.perf_counter(), 0
    while time.perf_counter() - began < _PATIENCE:
        window = front.Recommend(request, timeout=_PATIENCE)
        asked += 1
        if hidden not in {item.item_id for item in window.items}:
            return plain * 1e3, (time.perf_counter() - began) * 1e3, asked
    raise RuntimeError(f"a hidden item was still shown {_PATIENCE:.0f} s after the acknowledgement")


if __name__ == "__main__":
    main(rows)
