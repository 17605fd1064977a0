"""A ranker whose model too many wait for is left out of one answer, counted, and switched off for none of it."""

from typing import Any, cast

from vitrine.domain.answer import DegradationCode
from vitrine.errors import InferenceBusy, InferenceError
from vitrine.hosting.breaker import Breaker
from vitrine.hosting.hosted import Hosted, Missing
from vitrine.plugin import Batch


class Noted:
    """An observer that keeps outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def plugin_called(self, component: str, outcome: str, seconds: float) -> None:
        self.outcomes.append(outcome)

    def plugin_changed(self, name: str, changed: int, positions: int) -> None: ...

    def plugin_state(self, component: str, *, on: bool) -> None: ...


class Crowded:
    """Raises what it is told."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def score(self, batch: Batch) -> Any:
        raise self.error


def asked(error: Exception, times: int) -> tuple[Hosted, Noted, list[Any]]:
    noted = Noted()
    hosted = Hosted("ranker:one", Crowded(error), 1.0, Breaker(failures=2, retry_seconds=60), noted)
    answers = []
    for _ in range(times):
        answer = hosted.attempt("score", cast("Batch", None), check=lambda _: "")
        hosted.count(answer, 0.001)
        answers.append(answer)
    return hosted, noted, answers


def test_a_crowd_is_told_and_counted_and_switches_nothing_off() -> None:
    hosted, noted, answers = asked(InferenceBusy("256 requests wait for the model already"), 10)
    assert set(answers) == {
        Missing(DegradationCode.UNAVAILABLE, "too many requests wait for the plugin's model", "busy")
    }
    assert noted.outcomes == ["busy"] * 10
    assert hosted.state.name == "on"
    assert hosted.counts.failures == 10


def test_a_model_that_fails_still_does() -> None:
    hosted, noted, _ = asked(InferenceError("broken"), 2)
    assert noted.outcomes == ["failed", "failed"]
    assert hosted.state.name == "tripped"
