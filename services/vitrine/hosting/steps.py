"""Work of the server's own on a request's way: watched and left behind as plugins are, and remembered as they are."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from vitrine.errors import Timeout


class Raised(NamedTuple):
    """In place of what some work would have answered."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Step:
    """Stands where a plugin's `Hosted` does.

    Attributes:
        name: Which work it is.
        seconds: Time that it has, less where its request has less.
    """

    name: str
    seconds: float = field(compare=False)
    grace: ClassVar[float] = 0.0

    def allowance(self, rows: int) -> float:
        """None: to have had less than its share is no excuse that anybody asks for."""
        del rows
        return 0.0

    def limit(self, rows: int, left: float) -> float:
        """Seconds that it has when its request has so many left."""
        del rows
        return max(min(self.seconds, left), 0.0)

    def refuses(self) -> None:
        """Never."""

    def late(self) -> Raised:
        """What stands in for an answer that did not come in time."""
        return Raised(out_of_time())

    def hangs(self, seconds: float, *, cut: bool = False) -> None:
        """Nothing that anybody counts."""

    def returned(self, *, late: bool = False) -> None:
        """Likewise."""


def out_of_time() -> Timeout:
    """The error of a step that took longer than its share; a new one for everybody."""
    return Timeout("did not answer in its share of the deadline")


def outcome(answer: Any) -> Any:
    """What was answered, or raises what was raised."""
    try:
        if isinstance(answer, Raised):
            raise answer.error
        return answer
    finally:
        # An error that was raised holds this frame: one must let go of the other.
        del answer
