"""One part of a plugin as the host sees it: what to call, for how long, and how it has been doing."""

import contextvars
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from vitrine.domain.answer import DegradationCode
from vitrine.errors import InferenceBusy, PluginFailed, Timeout
from vitrine.hosting.breaker import Breaker
from vitrine.hosting.observer import SILENT, Observer
from vitrine.hosting.plain import plain, words
from vitrine.plugin import Batch

log = logging.getLogger(__name__)

# Candidates that a budget is meant for; a call with more has longer in proportion.
BUDGET_ROWS = 1000
# Once so many threads have not come back from a plugin, it is called no more until one has. Calls that had begun by then
# may hang, too: one for each worker at most.
MAX_HUNG = 4
# What hosts a plugin elsewhere ends it by itself; whoever watches the thread gives it so long to do that.
GRACE_SECONDS = 0.25
# Where nobody waits, what runs elsewhere has so many budgets, and at least so many seconds: batches are large.
_PATIENCE, _LEAST_PATIENCE = 100, 60.0
# A plugin that fails at each request would fill the log.
_LOG_SECONDS = 30.0


class Missing(NamedTuple):
    """In place of what a plugin did not give.

    Attributes:
        code: What happened.
        message: A sentence for an engineer, without internals.
        outcome: How that is counted; see `Observer.plugin_called`.
    """

    code: DegradationCode
    message: str
    outcome: str = "failed"


class Elsewhere(Protocol):
    """Runs a plugin in a process of its own; `vitrine.hosting.process.IsolatedPlugin` does."""

    def call(self, target: str, method: str, batch: Batch, seconds: float, *arguments: Any) -> Any:
        """What the method answers.

        Raises:
            Timeout: It took longer than ``seconds``.
            PluginFailed: It raised or crashed, or is being restarted.
        """
        ...


@dataclass(slots=True)
class Counts:
    """How often a part was called since its bundle is served, and how that ended."""

    calls: int = 0
    failures: int = 0
    timeouts: int = 0


class State(NamedTuple):
    """Whether a part is called: "on", "tripped" or "hung", and a sentence."""

    name: str
    message: str = ""


class Hosted:
    """A ranker, or a block of feature columns.

    Args:
        component: ``ranker:NAME`` or ``features:NAME``.
        target: What to call.
        budget: Seconds for a call with up to `BUDGET_ROWS` candidates.
        breaker: Decides whether it is called.
        observer: Is told how it does.
        elsewhere: Where it runs, if not in this process.

    Attributes:
        component: As above.
        target: As above.
        budget: As above.
        counts: How it has been doing.
    """

    def __init__(
        self,
        component: str,
        target: Any,
        budget: float,
        breaker: Breaker,
        observer: Observer = SILENT,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.component = component
        self.budget = budget
        self.counts = Counts()
        self.target = target
        self._breaker = breaker
        self._observer = observer
        self._elsewhere = elsewhere
        self._lock = threading.Lock()
        self._hung = 0
        self._silent_until = 0.0
        observer.plugin_state(component, on=True)

    @property
    def hung(self) -> int:
        """Threads that wait for it, which nobody waits for any more."""
        return self._hung

    @property
    def grace(self) -> float:
        """Seconds beyond its limit before it is given up."""
        return 0.0 if self._elsewhere is None else GRACE_SECONDS

    @property
    def state(self) -> State:
        """Whether it is called."""
        if self._hung >= MAX_HUNG or (self._hung and self._breaker.is_open):
            return State("hung", f"left out: {self._hung} of its calls have not returned")
        if self._breaker.is_open:
            again = (
                f"tried again in {self._breaker.wait:.0f} s" if self._breaker.wait else "being tried again"
            )
            return State("tripped", f"left out after repeated failures; {again}")
        return State("on")

    def allowance(self, rows: int) -> float:
        """Seconds of its budget for a call with so many candidates."""
        return self.budget * max(1.0, rows / BUDGET_ROWS)

    def limit(self, rows: int, left: float) -> float:
        """Seconds for a call with so many candidates when a request has so much time left."""
        return max(min(self.allowance(rows), left / 2), 0.0)

    def refuses(self) -> Missing | None:
        """Why it is not called now; ``None`` when it is. Whoever may call it tells by `count` or `hangs` how it went."""
        # A try makes no sense as long as an earlier call has not come back.
        stuck = self._hung >= MAX_HUNG or (self._hung > 0 and self._breaker.is_open)
        if not stuck and self._breaker.allows():
            return None
        self._observer.plugin_called(self.component, "off", 0.0)
        return Missing(DegradationCode.OFF, self.state.message or "left out after repeated failures", "off")

    def attempt(
        self,
        method: str,
        batch: Batch,
        *arguments: Any,
        check: Callable[[Any], str],
        seconds: float | None = None,
    ) -> Any:
        """What a method answers, or `Missing`. Never raises because of the plugin.

        Args:
            method: Its name.
            batch: Its first argument.
            arguments: The others.
            check: Says what is wrong with the answer.
            seconds: Time that it has, for a plugin that runs elsewhere; many times its budget unless told.
        """
        try:
            if self._elsewhere is None:
                # In a context of its own: numpy's `seterr` there would have our arithmetic raise in this thread.
                call = contextvars.copy_context()
                answer = call.run(getattr(self.target, method), batch, *arguments)
            else:
                time_left = max(_PATIENCE * self.budget, _LEAST_PATIENCE) if seconds is None else seconds
                target = "ranker" if self.component.startswith("ranker:") else "block"
                answer = self._elsewhere.call(target, method, batch, time_left, *arguments)
            answer = plain(answer)
            problem = check(answer)
        except Timeout:
            return self.late()
        except InferenceBusy:
            self._log("%s: too many requests wait for its model", self.component)
            return Missing(
                DegradationCode.UNAVAILABLE, "too many requests wait for the plugin's model", "busy"
            )
        except BaseException as error:
            if self._elsewhere is not None and isinstance(error, PluginFailed):
                self._log("%s: %s", self.component, error)
                return Missing(DegradationCode.FAILED, f"the plugin failed: {words(error)}")
            # SystemExit and its like, too: nothing that a plugin raises ends a request.
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                raise
            self._log("%s failed in %s", self.component, method, error=error)
            return Missing(DegradationCode.FAILED, "the plugin failed")
        if problem:
            self._log("%s answered %s", self.component, problem)
            return Missing(DegradationCode.FAILED, f"the plugin answered {words(problem)}", "invalid")
        return answer

    def late(self) -> Missing:
        """What stands in for an answer that did not come in time."""
        self._log("%s did not answer in time", self.component)
        return Missing(DegradationCode.TIMEOUT, "the plugin did not answer within its time budget", "timeout")

    def count(self, answer: Any, seconds: float, *, cut: bool = False) -> None:
        """Notes a call that came back; ``cut``: its request left it less than its budget."""
        self.counts.calls += 1
        if not isinstance(answer, Missing):
            self._breaker.worked()
            self._observer.plugin_called(self.component, "ok", seconds)
            return
        self.counts.timeouts += answer.outcome == "timeout"
        # A crowd says as little of the plugin as a request in a hurry.
        undecided = answer.outcome == "busy" or (cut and answer.outcome == "timeout")
        self._failed(answer.outcome, seconds, cut=undecided)

    def hangs(self, seconds: float, *, cut: bool = False) -> None:
        """Notes a call that was given up and has not come back; ``cut`` as for `count`."""
        with self._lock:
            self._hung += 1
        self.counts.calls += 1
        self.counts.timeouts += 1
        self._failed("timeout", seconds, cut=cut)

    def returned(self, *, late: bool = False) -> None:
        """Notes that such a call came back at last; ``late``: it was cut short, and took longer than its budget, too."""
        with self._lock:
            self._hung -= 1
        if late:
            self._trip()

    def _failed(self, outcome: str, seconds: float, *, cut: bool) -> None:
        self.counts.failures += 1
        self._observer.plugin_called(self.component, outcome, seconds)
        if cut:
            # A request in a hurry says nothing of the plugin: others would have to do without it.
            self._breaker.undecided()
        else:
            self._trip()

    def _trip(self) -> None:
        if self._breaker.failed():
            log.warning("%s: %s", self.component, self.state.message)

    def _log(self, text: str, *details: Any, error: BaseException | None = None) -> None:
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + _LOG_SECONDS
            log.error(text, *details, exc_info=error)
