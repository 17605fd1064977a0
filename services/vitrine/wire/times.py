"""Moments and durations: protobuf's on the wire, Unix seconds and seconds inside."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from vitrine.errors import InvalidInput

# Years 1970 to 9999: what a Timestamp may hold, less what nobody means.
LATEST = 253_402_300_799


def timestamp_to_proto(seconds: float) -> Timestamp:
    """Microseconds are kept."""
    micros = round(seconds * 1e6)
    return Timestamp(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1000)


def timestamp_from_proto(message: Timestamp, field: str) -> float:
    """Unix seconds.

    Raises:
        InvalidInput: Before 1970 or after 9999; ``field`` is named.
    """
    if not 0 <= message.seconds <= LATEST or not 0 <= message.nanos < 1_000_000_000:
        raise InvalidInput(field, "is not a moment between 1970 and 9999")
    return (message.seconds * 1_000_000 + message.nanos // 1000) / 1e6


def duration_to_proto(seconds: float) -> Duration:
    """Microseconds are kept."""
    micros = round(seconds * 1e6)
    return Duration(seconds=micros // 1_000_000, nanos=micros % 1_000_000 * 1000)
