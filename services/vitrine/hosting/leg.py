"""How plugins are called: by a leg of a request's way, or straight."""

from collections.abc import Callable
from typing import Any, Protocol

from vitrine.hosting.hosted import Hosted
from vitrine.plugin import Batch

# What is wrong with an answer; empty when nothing is.
Check = Callable[[Any], str]


class Superseded(BaseException):
    """The request has been answered, or another thread goes on with it: this one has nothing left to do.

    Not an `Exception`, so that nothing on its way up takes it for a failure.
    """


class Leg(Protocol):
    """One thread's part of the way; `Direct` where nobody waits, `vitrine.hosting.run.RunningLeg` where somebody does."""

    @property
    def seconds(self) -> float:
        """How long the latest call took; 0 where it was not made, or is not known."""
        ...

    def call(self, hosted: Hosted, method: str, batch: Batch, *arguments: Any, check: Check) -> Any:
        """What the plugin answers, or `Missing`.

        Raises:
            Superseded: The thread has nothing left to do.
        """
        ...


class Direct:
    """Calls plugins and waits for them, however long: for batches and training, whose results no clock may change."""

    # It may be used by several threads, and remembers nothing.
    seconds = 0.0

    def call(self, hosted: Hosted, method: str, batch: Batch, *arguments: Any, check: Check) -> Any:
        """As `Leg.call`."""
        return hosted.attempt(method, batch, *arguments, check=check)


DIRECT = Direct()
