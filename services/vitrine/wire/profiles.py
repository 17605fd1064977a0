"""Profiles between protobuf and the domain, column by column and exact both ways for times in whole microseconds."""

import numpy as np
import numpy.typing as npt
from google.protobuf.duration_pb2 import Duration

from vitrine.api.profile.v1 import profile_pb2
from vitrine.domain.events import Activity
from vitrine.domain.profile import Counters, Profile
from vitrine.wire.events import subject_from_proto, subject_to_proto
from vitrine.wire.profile_columns import column, columns_from_proto
from vitrine.wire.times import duration_to_proto, timestamp_from_proto, timestamp_to_proto
from vitrine.wire.tokens import CURSOR, WATERMARK, decode_token, encode_token

# Kind of the token that is a profile's version.
VERSION = "v"


def profile_to_proto(profile: Profile, now: float) -> profile_pb2.Profile:
    """The profile as a message; its segment is that of ``now`` (Unix seconds)."""
    message = profile_pb2.Profile(
        version=encode_token(VERSION, profile.version),
        watermark=encode_token(WATERMARK, profile.watermark),
        event_count=profile.event_count,
        segment=int(profile.segment(now)),  # type: ignore[arg-type]
        purchase_days=profile.purchase_days,
        long_half_life=duration_to_proto(profile.long_half_life),
        short_half_life=duration_to_proto(profile.short_half_life),
    )
    if profile.subject is not None:
        message.subject.CopyFrom(subject_to_proto(profile.subject))
    if profile.event_count:
        message.first_time.CopyFrom(timestamp_to_proto(profile.first_time))
        message.last_time.CopyFrom(timestamp_to_proto(profile.last_time))
    items, recent = profile.items, profile.recent
    if len(items):
        columns = message.items
        columns.item_ids.extend(items.item_ids)
        columns.last_time_micros.extend(_micros(items.last_time))
        columns.last_purchase_micros.extend(_micros(items.last_purchase))
        columns.views.extend(items.views.tolist())
        columns.in_cart.extend(items.in_cart.tolist())
        columns.purchases.extend(items.purchases.tolist())
        columns.quantity.extend(items.quantity.tolist())
        columns.long_term.extend(items.long_term.tolist())
        columns.short_term.extend(items.short_term.tolist())
        columns.rating.extend(items.rating.tolist())
        columns.opinion.extend(items.opinion.tolist())
    if len(recent):
        message.recent.item_ids.extend(recent.item_ids)
        message.recent.types.extend(recent.types.tolist())
        message.recent.time_micros.extend(_micros(recent.times))
    _counters_to_proto(profile.event_types, message.event_types)
    _counters_to_proto(profile.categories, message.categories)
    _counters_to_proto(profile.brands, message.brands)
    _counters_to_proto(profile.price_bands, message.price_bands)
    return message


def profile_from_proto(message: profile_pb2.Profile, field: str = "profile") -> Profile:
    """The profile in a message.

    Raises:
        InvalidInput: Its columns are not of one length, or a token in it is not valid; ``field`` is its path.
    """
    subject = None
    if message.subject.WhichOneof("id") is not None:
        subject = subject_from_proto(message.subject, f"{field}.subject")
    return Profile(
        subject=subject,
        version=decode_token(VERSION, message.version, f"{field}.version"),
        watermark=decode_token(WATERMARK, message.watermark, f"{field}.watermark"),
        event_count=message.event_count,
        first_time=timestamp_from_proto(message.first_time, f"{field}.first_time"),
        last_time=timestamp_from_proto(message.last_time, f"{field}.last_time"),
        purchase_days=message.purchase_days,
        long_half_life=_half_life(message.long_half_life, Profile().long_half_life),
        short_half_life=_half_life(message.short_half_life, Profile().short_half_life),
        **columns_from_proto(message, field),
    )


def activity_to_proto(activity: Activity) -> profile_pb2.WatchActivityResponse:
    """The activity as a message."""
    return profile_pb2.WatchActivityResponse(
        item_ids=activity.item_ids,
        types=activity.types.tolist(),
        time_micros=_micros(activity.times),
        quantity=activity.quantities.tolist(),
        cursor=encode_token(CURSOR, activity.cursor),
    )


def activity_from_proto(message: profile_pb2.WatchActivityResponse) -> Activity:
    """The activity in a message.

    Raises:
        InvalidInput: Its columns are not of one length, or its cursor is not valid.
    """
    n = len(message.item_ids)
    return Activity(
        message.item_ids[:],
        column(message.types, np.int8, n, "types"),
        column(message.time_micros, np.int64, n, "time_micros") / 1e6,
        column(message.quantity, np.float64, n, "quantity"),
        decode_token(CURSOR, message.cursor, "cursor"),
    )


def _counters_to_proto(counters: Counters, message: profile_pb2.Counters) -> None:
    if len(counters):
        message.keys.extend(counters.keys)
        message.counts.extend(counters.counts.tolist())
        message.long_term.extend(counters.long_term.tolist())
        message.short_term.extend(counters.short_term.tolist())
        message.last_time_micros.extend(_micros(counters.last_time))


def _micros(times: npt.NDArray[np.float64]) -> list[int]:
    """Unix seconds as whole microseconds."""
    micros: list[int] = np.rint(times * 1e6).astype(np.int64).tolist()
    return micros


def _half_life(message: Duration, default: float) -> float:
    seconds = message.seconds + message.nanos / 1e9
    return seconds if seconds > 0 else default
