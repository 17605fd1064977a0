"""One network: by one caller, by many, and at constant rates beside the same runs in a bare loop."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np

from tests.load.gpu.calls import Call, closed, open_loop
from tests.load.gpu.figures import Network, Served
from tests.load.gpu.sessions import Session, opened
from vitrine.config import InferenceConfig
from vitrine.inference import OnnxModel

# Rounds at a constant rate, each followed by the same runs in a bare loop.
_ROUNDS = 3
# Requests that differ; made before anything is timed.
_REQUESTS = 64
# By how much a GPU's answers may differ from the CPU's.
_APART = 1e-3


@dataclass(frozen=True, kw_only=True)
class Bench:
    """How to measure.

    Attributes:
        settings: What models run on.
        rows: Rows of a request.
        callers: Callers at once, where there are several.
        seconds: Length of a run.
        say: Told how far it is.
    """

    settings: InferenceConfig
    rows: int
    callers: int
    seconds: float
    say: Callable[[str], None]

    def network(self, data: bytes) -> Network:
        """Measures one.

        Raises:
            ConfigError: What it is to run on is not to be had.
            RuntimeError: It answers otherwise than on the CPU.
        """
        apart, alone = opened(data, self.settings, batchable=False)
        joined, session = opened(data, self.settings, batchable=True)
        self._check(data, apart, alone)
        self._check(data, joined, session)
        one_row = closed(_calls(joined, session, 1), rows=1, callers=1, seconds=self.seconds)
        call = _calls(joined, session, self.rows)
        one_request = closed(call, rows=self.rows, callers=1, seconds=self.seconds)
        many = {"rows": self.rows, "callers": self.callers}
        by_itself = closed(_calls(apart, alone, self.rows), **many, seconds=self.seconds)
        together = closed(call, **many, seconds=self.seconds)
        self.say(
            f"  rows/s: {one_request.rows_per_second:,.0f} by one caller; by {self.callers} "
            f"{by_itself.rows_per_second:,.0f} apart, {together.rows_per_second:,.0f} joined"
        )
        most = together.rows_per_second / self.rows
        return Network(
            bytes=len(data),
            one_row=one_row,
            one_request=one_request,
            apart=by_itself,
            joined=together,
            half=self._served(call, session, most / 2),
            high=self._served(call, session, most * 4 / 5),
        )

    def _served(self, call: Call, session: Session, rate: float) -> Served:
        """The last round's times: the first ones meet sizes of runs for the first time where nothing is filled up."""
        sizes: Counter[int] = Counter()
        spent, ratios = np.zeros(2), []
        for _ in range(_ROUNDS):
            session.runs = []
            times = open_loop(call, rows=self.rows, callers=self.callers, rate=rate, seconds=self.seconds)
            runs, session.runs = session.runs, []
            both = np.array([sum(run.seconds for run in runs), session.bare(runs)])
            ratios.append(float(both[0] / both[1]))
            sizes.update(run.rows for run in runs)
            spent += both
        served, bare = (1000 * spent / sizes.total()).tolist()
        self.say(
            f"  {rate:,.0f} calls/s: p99 {times.p99 or 0:.2f} ms; {sizes.total():,} runs of "
            f"{self.rows * rate * self.seconds * _ROUNDS / sizes.total():,.0f} rows, {served:.3f} ms each, "
            f"bare {bare:.3f} ms: {median(ratios):.2f}"
        )
        return Served(
            rate=round(rate),
            times=times,
            sizes=dict(sorted(sizes.items())),
            served=served,
            bare=bare,
            ratios=ratios,
            ratio=median(ratios),
        )

    def _check(self, data: bytes, model: OnnxModel, session: Session) -> None:
        """A quick wrong answer is none. And what the first run of a size takes is nothing that is measured."""
        feeds = session.inputs(self.rows, seed=1)
        wanted = OnnxModel(data, InferenceConfig(provider="cpu", budget_ms=60_000)).run(feeds)
        for name, found in model.run(feeds).items():
            if not np.allclose(found, wanted[name], rtol=_APART, atol=_APART):
                raise RuntimeError(f"'{name}' is not what the CPU answers")


def _calls(model: OnnxModel, session: Session, rows: int) -> Call:
    requests = [session.inputs(rows, seed) for seed in range(_REQUESTS)]
    return lambda number: model.run(requests[number % _REQUESTS])
