"""What a handler has written by itself goes as it is; all else is serialised."""

from vitrine.api.profile.v1 import profile_pb2
from vitrine.rpc.written import writing, written

MESSAGE = profile_pb2.WatchActivityRequest(cursor="c-1")


def test_bytes_in_the_place_of_a_message_are_not_written_again() -> None:
    serialise = writing(profile_pb2.WatchActivityRequest.SerializeToString)
    assert serialise is not None
    data = b"whatever they are"
    assert serialise(written(profile_pb2.WatchActivityRequest, data)) is data
    assert serialise(MESSAGE) == MESSAGE.SerializeToString()


def test_where_nothing_is_serialised_that_stays_so() -> None:
    assert writing(None) is None
