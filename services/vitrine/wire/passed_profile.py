"""Profiles that the front hands on as they came: it seldom looks into one."""

import logging
from dataclasses import fields
from typing import Any

from vitrine.api.profile.v1 import profile_pb2
from vitrine.domain.profile import Profile
from vitrine.errors import InvalidInput
from vitrine.wire.events import subject_from_proto
from vitrine.wire.profiles import VERSION, profile_from_proto, profile_to_proto
from vitrine.wire.tokens import WATERMARK, decode_token

log = logging.getLogger(__name__)


class PassedProfile(Profile):
    """A profile that is read when somebody looks into it; whose it is and how fresh is known at once.

    Attributes:
        message: As it came.
    """

    __slots__ = ("message",)
    message: profile_pb2.Profile

    def __getattr__(self, name: str) -> Any:
        """Called for what is not known yet: all else becomes known."""
        if name not in _FIELDS:
            raise AttributeError(name)
        try:
            read = profile_from_proto(self.message)
        except InvalidInput as error:
            # Retrieval and ranking have refused it, and the answer says so.
            log.error("a profile that was handed on cannot be read: %s", error)  # noqa: TRY400
            read = Profile(self.subject, self.version, self.watermark)
        for field in _FIELDS:
            object.__setattr__(self, field, getattr(read, field))
        return getattr(read, name)


_FIELDS = frozenset(field.name for field in fields(Profile))


def passed_profile(message: profile_pb2.Profile, field: str = "profile") -> Profile:
    """The profile in a message, not read yet.

    Raises:
        InvalidInput: A token in it is not valid, or it is nobody's; ``field`` is its path.
    """
    passed = object.__new__(PassedProfile)
    subject = None
    if message.subject.WhichOneof("id") is not None:
        subject = subject_from_proto(message.subject, f"{field}.subject")
    for name, value in (
        ("message", message),
        ("subject", subject),
        ("version", decode_token(VERSION, message.version, f"{field}.version")),
        ("watermark", decode_token(WATERMARK, message.watermark, f"{field}.watermark")),
    ):
        object.__setattr__(passed, name, value)
    return passed


def profile_message(profile: Profile, now: float) -> profile_pb2.Profile:
    """As it came, or else as `profile_to_proto` writes it; not to be changed."""
    message = getattr(profile, "message", None)
    return profile_to_proto(profile, now) if message is None else message
