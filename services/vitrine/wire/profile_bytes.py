"""Profiles as bytes, kept by version: converting one costs more than all else that answering it takes."""

from collections import OrderedDict
from sys import getsizeof
from threading import Lock
from typing import NamedTuple

from vitrine.api.profile.v1 import profile_pb2
from vitrine.domain.profile import Profile, Segment
from vitrine.domain.subject import Subject
from vitrine.wire.profiles import profile_to_proto
from vitrine.wire.tokens import WATERMARK, encode_token

# Of memory: some 8,000 profiles of some 100 items.
CAPACITY_BYTES = 64 * 1024 * 1024
# What an entry takes beside an identifier and its answer, measured: the subject, what was told when, the version, the
# watermark, the place in the dictionary and the link to the entries before and after it.
ENTRY_BYTES = 376


class _Kept(NamedTuple):
    """An answer, and what is told in it beside what is known of the subject."""

    version: int
    watermark: int
    segment: Segment
    answer: bytes


class ProfileBytes:
    """The profiles converted last, each as the answer of `GetProfile`. Any thread may use it.

    These answers one after the other are the answer of `BatchGetProfiles`: a profile has the same number in both, and what
    is repeated in a message stands there once for each (protobuf.dev, "Encoding"). So what is kept is not parsed again.
    """

    def __init__(self, capacity: int = CAPACITY_BYTES) -> None:
        """Keeps what takes up to ``capacity`` bytes of memory."""
        self._capacity = capacity
        self._kept: OrderedDict[Subject, _Kept] = OrderedDict()
        self._size = 0
        self._erasures = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return self._size

    @property
    def erasures(self) -> int:
        """How many subjects were dropped so far."""
        return self._erasures

    def answer(self, subject: Subject, profile: Profile, now: float, since: int) -> bytes:
        """The answer of `GetProfile` for a subject with this profile.

        Args:
            subject: Whose it is.
            profile: What is known of them.
            now: Unix seconds; the segment is the one of then.
            since: `erasures` of before the profile was read: of somebody erased meanwhile nothing is kept.
        """
        version, watermark, segment = profile.version, profile.watermark, profile.segment(now)
        with self._lock:
            kept = self._kept.get(subject)
            if kept is not None and kept.version == version:
                self._kept.move_to_end(subject)
                if kept.watermark == watermark and kept.segment is segment:
                    return kept.answer
            else:
                kept = None
        if kept is None:
            response = profile_pb2.GetProfileResponse(profile=profile_to_proto(profile, now))
        else:
            # The segment depends on the time, and the watermark grows with what others do.
            response = profile_pb2.GetProfileResponse.FromString(kept.answer)
            response.profile.watermark = encode_token(WATERMARK, watermark)
            response.profile.segment = int(segment)  # type: ignore[assignment]
        answer = response.SerializeToString()
        with self._lock:
            self._drop(subject)
            # Of an empty one nothing is gained; an older one must not stay either.
            if version and since == self._erasures:
                self._kept[subject] = _Kept(version, watermark, segment, answer)
                self._size += _cost(subject, answer)
                while self._size > self._capacity:
                    oldest, gone = self._kept.popitem(last=False)
                    self._size -= _cost(oldest, gone.answer)
        return answer

    def drop(self, subject: Subject) -> None:
        """Forgets a subject who is erased."""
        with self._lock:
            self._erasures += 1
            self._drop(subject)

    def _drop(self, subject: Subject) -> None:
        gone = self._kept.pop(subject, None)
        if gone is not None:
            self._size -= _cost(subject, gone.answer)


def _cost(subject: Subject, answer: bytes) -> int:
    """Bytes of memory that an entry takes: when it goes, as many as when it came.

    So the identifier is not as large as Python says: one that is no ASCII grows once somebody has encoded it.
    """
    encoded = len(subject.id.encode())
    identifier = getsizeof("") + (encoded if subject.id.isascii() else 2 * encoded)
    return ENTRY_BYTES + identifier + getsizeof(answer)
