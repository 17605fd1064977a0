"""What stands in for a leg when the time of a request is over: goes as far as the others have come."""

import time
from collections.abc import Callable
from typing import TypeVar, cast

from vitrine.hosting.run import Known
from vitrine.hosting.steps import Step, out_of_time, outcome

T = TypeVar("T")


class Remembering:
    """Tells what is known.

    Args:
        began: When the request was asked for, by the monotonic clock.
        known: What was called until now.

    Attributes:
        begun: Whether any call is over.
        moment: When what was asked for last was over.
    """

    def __init__(self, began: float, known: list[Known]) -> None:
        self.begun = bool(known)
        self._known = known
        self.moment = began

    def step(self, name: str, seconds: float, work: Callable[[], T]) -> T:
        """As `vitrine.hosting.run.RunningLeg.step`, but that nothing is begun.

        Raises:
            Timeout: It is not known.
        """
        del work
        if not self._known or self._known[0].hosted != Step(name, seconds):
            self.moment = time.monotonic()
            raise out_of_time()
        known = self._known.pop(0)
        self.moment = known.ended
        return cast("T", outcome(known.answer))
