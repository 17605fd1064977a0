"""Profiles as bytes, kept by version: converting one costs more than all else that answering it takes."""

from collections import OrderedDict
from sys import getsizeof
from threading import Lock

from vitrine.api.profile.v1 import profile_pb2
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.wire.events import subject_to_proto
from vitrine.wire.profiles import content_to_proto
from vitrine.wire.tokens import WATERMARK, encode_token

# Of memory: some 8,000 profiles of some 100 items.
CAPACITY_BYTES = 64 * 1024 * 1024
# What an entry takes beside an identifier and its content, measured: the subject, the pair of version and content, the
# version, the place in the dictionary and the link to the entries before and after it.
ENTRY_BYTES = 320


class ProfileBytes:
    """The profiles converted last. Any thread may use it.

    A profile that is read has two parts, which protobuf merges: what its version tells, and what each reading tells
    (whose, as of which watermark, and the segment, which depends on the time).
    """

    def __init__(self, capacity: int = CAPACITY_BYTES) -> None:
        """Keeps what takes up to ``capacity`` bytes of memory."""
        self._capacity = capacity
        self._kept: OrderedDict[Subject, tuple[int, bytes]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return self._size

    def add_to(self, message: profile_pb2.Profile, subject: Subject, profile: Profile, now: float) -> int:
        """Writes a subject's profile into an empty message; its segment is that of ``now`` (Unix seconds).

        Returns:
            How many bytes the message takes.
        """
        content = self._content(subject, profile)
        reading = profile_pb2.Profile(
            subject=subject_to_proto(subject),
            watermark=encode_token(WATERMARK, profile.watermark),
            segment=int(profile.segment(now)),  # type: ignore[arg-type]
        ).SerializeToString()
        message.MergeFromString(content)
        message.MergeFromString(reading)
        return len(content) + len(reading)

    def drop(self, subject: Subject) -> None:
        """Forgets a subject who is erased."""
        with self._lock:
            self._drop(subject)

    def _content(self, subject: Subject, profile: Profile) -> bytes:
        with self._lock:
            kept = self._kept.get(subject)
            if kept is not None and kept[0] == profile.version:
                self._kept.move_to_end(subject)
                return kept[1]
        content = content_to_proto(profile).SerializeToString()
        with self._lock:
            self._drop(subject)
            # Of an empty one nothing is gained; an older one must not stay either.
            if profile.version:
                self._kept[subject] = profile.version, content
                self._size += _cost(subject, content)
                while self._size > self._capacity:
                    oldest, (_, gone) = self._kept.popitem(last=False)
                    self._size -= _cost(oldest, gone)
        return content

    def _drop(self, subject: Subject) -> None:
        gone = self._kept.pop(subject, None)
        if gone is not None:
            self._size -= _cost(subject, gone[1])


def _cost(subject: Subject, content: bytes) -> int:
    """Bytes of memory that an entry takes: when it goes, as many as when it came.

    So the identifier is not as large as Python says: one that is no ASCII grows once somebody has encoded it.
    """
    encoded = len(subject.id.encode())
    identifier = getsizeof("") + (encoded if subject.id.isascii() else 2 * encoded)
    return ENTRY_BYTES + identifier + getsizeof(content)
