"""One run of a session: within its time, with the runtime's exceptions turned into Vitrine's."""

import math
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.errors import InferenceError, InferenceTimeout
from vitrine.inference.watchdog import watchdog

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]
Outputs = dict[str, Array]


def run_session(session: Any, names: tuple[str, ...], feeds: Feeds, deadline: float) -> Outputs:
    """Runs a session on named inputs; ``deadline`` is on the clock of `time.monotonic`, or infinite.

    Raises:
        InferenceError: The run failed.
        InferenceTimeout: It was stopped at its deadline, or that had passed before.
    """
    options = watched = None
    if deadline != math.inf:
        if deadline <= time.monotonic():
            raise timed_out()
        import onnxruntime as ort

        options = ort.RunOptions()
        watched = watchdog.watch(deadline, options)
    try:
        answers = session.run(names, feeds, options)
    except Exception as error:
        if options is not None and options.terminate:
            raise timed_out() from None
        raise _failed(error) from error
    finally:
        if watched is not None:
            watchdog.done(watched)
    return dict(zip(names, answers, strict=True))


def check_finite(outputs: Outputs) -> None:
    """Refuses NaN and infinity.

    Raises:
        InferenceError: An output has such a value; names the output.
    """
    for name, values in outputs.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise InferenceError(f"the model's output '{name}' has values that are NaN or infinite")


def timed_out() -> InferenceTimeout:
    """The error of a run that had too little time; a new one for every caller."""
    return InferenceTimeout("the model did not answer within its time budget")


def _failed(error: Exception) -> InferenceError:
    """What a caller may know: the names and shapes of its inputs, not what happened inside of the model."""
    text = " ".join(str(error).split())
    if type(error).__name__ in {"InvalidArgument", "ValueError"} and "while running" not in text:
        return InferenceError(f"the model refuses its inputs: {text.rpartition(' : ')[2]}")
    return InferenceError("the model failed on its inputs")
