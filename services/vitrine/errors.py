"""The error tree. Each class owns the gRPC status that a caller sees; the domain raises these and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that is wrong.

    Attributes:
        field: Path in the request, for example ``events[3].item_id``.
        description: What is wrong with it and what to do.
    """

    field: str
    description: str


class VitrineError(Exception):
    """Anything that Vitrine reports on purpose. Its text is for people and safe to show to a caller."""

    status: ClassVar[str] = "INTERNAL"


class InvalidInput(VitrineError):
    """A request or a file breaks its contract; names the field at fault."""

    status = "INVALID_ARGUMENT"

    def __init__(self, field: str, description: str, *more: FieldViolation) -> None:
        self.violations: Sequence[FieldViolation] = (FieldViolation(field, description), *more)
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in self.violations))


class NotFound(InvalidInput):
    """A request names something that is not there; names the field."""

    status = "NOT_FOUND"


class NotReady(VitrineError):
    """Something that the caller must do first has not been done."""

    status = "FAILED_PRECONDITION"


class TooLarge(VitrineError):
    """A message or a batch exceeds its limit."""

    status = "RESOURCE_EXHAUSTED"


class Overloaded(VitrineError):
    """The server refuses work to stay alive; try again later, as clients do by themselves.

    Attributes:
        retry_seconds: When it may be worth while; 0 when nothing is known of that.
    """

    status = "UNAVAILABLE"

    def __init__(self, description: str, retry_seconds: float = 0.0) -> None:
        self.retry_seconds = retry_seconds
        super().__init__(description)


class Unavailable(VitrineError):
    """A part cannot be reached or cannot store anything now; try again."""

    status = "UNAVAILABLE"


class Timeout(VitrineError):
    """A part did not answer in its time."""

    status = "DEADLINE_EXCEEDED"


class InferenceError(VitrineError):
    """A model failed on its inputs or answered NaN or infinity; the rest of the answer does without it."""


class InferenceBusy(InferenceError):
    """Too many requests wait for a model already; the rest of the answer does without it."""


class InferenceTimeout(Timeout):
    """A model did not answer within its time budget."""


class PluginFailed(VitrineError):
    """A plugin in a process of its own raised, crashed, said what makes no sense, or is being restarted."""


class ConfigError(VitrineError):
    """The configuration, the installation or the command line is wrong."""

    status = "FAILED_PRECONDITION"


class BundleError(VitrineError):
    """A bundle is refused: damaged, of another schema, or unsafe."""

    status = "FAILED_PRECONDITION"


class BundleRefused(BundleError):
    """A bundle does not take the place of the one that is served, which goes on.

    Attributes:
        reason: For programs: "INVALID_BUNDLE", "UNEXPECTED_VERSION", "NOT_READY" or "NO_BUNDLE".
        description: Why, for people.
        served: Version of the bundle that goes on; empty for none.
    """

    def __init__(self, reason: str, description: str, served: str) -> None:
        self.reason = reason
        self.description = description
        self.served = served
        super().__init__(f"the bundle is refused, {served or 'none'} goes on: {description}")


class ConfigRefused(ConfigError):
    """A configuration does not take the place of the one that is served, which goes on.

    Attributes:
        reason: For programs: "INVALID_CONFIG", "NEEDS_RESTART", "UNEXPECTED_FINGERPRINT", "NOT_READY" or "NO_CONFIG".
        description: Why, for people.
        served: Fingerprint of the configuration that goes on.
    """

    def __init__(self, reason: str, description: str, served: str) -> None:
        self.reason = reason
        self.description = description
        self.served = served
        super().__init__(f"the configuration is refused, {served} goes on: {description}")
