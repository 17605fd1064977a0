"""Models as a server has them, over sessions that note their runs."""

import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from vitrine.config import InferenceConfig
from vitrine.inference import OnnxModel
from vitrine.inference.provider import open_session
from vitrine.inference.running import Feeds

# Inputs that are kept of each number of rows: as many as a loop may come back to without finding them in a cache.
_KEPT = 4


class Ran(NamedTuple):
    """One run: how many rows, and seconds in the session."""

    rows: int
    seconds: float


class Session:
    """A session of ONNX Runtime.

    Attributes:
        runs: What it ran since they were last taken away.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._feeds: dict[int, list[Feeds]] = defaultdict(list)
        self.runs: list[Ran] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def run(self, names: Sequence[str], feeds: Feeds, options: Any = None) -> Any:
        """As ONNX Runtime does."""
        began = time.perf_counter()
        answers = self._inner.run(names, feeds, options)
        took = time.perf_counter() - began
        rows = len(next(iter(feeds.values())))
        self.runs.append(Ran(rows, took))
        if len(kept := self._feeds[rows]) < _KEPT:
            kept.append(feeds)
        return answers

    def inputs(self, rows: int, seed: int) -> Feeds:
        """Numbers of a normal distribution that the model takes."""
        random = np.random.default_rng(seed)
        return {
            value.name: random.standard_normal((rows, *value.shape[1:]), np.float32)
            for value in self._inner.get_inputs()
        }

    def bare(self, runs: Sequence[Ran]) -> float:
        """Seconds that the same runs take in a loop that does nothing else."""
        names = [value.name for value in self._inner.get_outputs()]
        feeds = {rows: cycle(self._feeds[rows]) for rows in {run.rows for run in runs}}
        for each in feeds.values():
            self._inner.run(names, next(each))
        spent = 0.0
        for run in runs:
            given = next(feeds[run.rows])
            began = time.perf_counter()
            self._inner.run(names, given)
            spent += time.perf_counter() - began
        return spent


def opened(data: bytes, settings: InferenceConfig, *, batchable: bool) -> tuple[OnnxModel, Session]:
    """A model, ready to run at any number of rows, and its session.

    Raises:
        ConfigError: What it is to run on is not to be had.
    """
    made: list[Session] = []

    def opening(model: bytes, chosen: InferenceConfig) -> tuple[Session, str]:
        inner, provider = open_session(model, chosen)
        made.append(Session(inner))
        return made[-1], provider

    with mock.patch("vitrine.inference.session.open_session", opening):
        model = OnnxModel(data, settings, batchable=batchable)
    model.warm(made[0].inputs(2, seed=0))
    made[0].runs.clear()
    return model, made[0]
