"""What a request brings to a worker: the profile that the owner read, and the moment that it is answered for."""

from contextvars import ContextVar

from vitrine.app.workers.messages import Ask
from vitrine.domain.answer import DegradationCode
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import NotReady, Timeout, Unavailable
from vitrine.hosting.process.profiles import unpack

# The request that a task works on.
_asked: ContextVar[Ask | None] = ContextVar("asked", default=None)


class GivenClock:
    """The owner's clock, as requests bring it: the same moment, however far the owner is from here.

    Args:
        now: What it shows before the first request.
    """

    def __init__(self, now: float) -> None:
        self._latest = now

    def begin(self, ask: Ask) -> None:
        """Has the calling task answer this request."""
        _asked.set(ask)
        self._latest = ask.now

    def __call__(self) -> float:
        """The moment of the task's request; outside of one, such as in a thread, that of the latest."""
        ask = _asked.get()
        return self._latest if ask is None else ask.now


class GivenProfiles:
    """Reads what the owner has read, and fails as it failed: a worker has no store of profiles."""

    def peek(self, subject: Subject, min_watermark: int = 0) -> Profile | None:
        """As `vitrine.profile.Profiles.peek`; call it in the context of the request, in whatever thread."""
        return self.get(subject, min_watermark)

    def get(self, subject: Subject, min_watermark: int = 0) -> Profile:
        """As `vitrine.profile.Profiles.get`, likewise."""
        del subject  # a request has one
        ask = _asked.get()
        given = None if ask is None else ask.given
        if given is None:
            raise Unavailable("the profile did not come with the request")
        if given.problem == DegradationCode.STALE and (min_watermark or given.packed is None):
            raise NotReady("has not caught up with the watermark")
        if given.problem == DegradationCode.TIMEOUT:
            raise Timeout("did not answer in its share of the deadline")
        if given.packed is None:
            raise Unavailable("cannot be read")
        return unpack(given.packed)
