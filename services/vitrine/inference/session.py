"""Loads an ONNX model for many concurrent callers."""

import math
import os
import time
from functools import partial

import numpy as np

from vitrine.config import InferenceConfig
from vitrine.inference.batching import Batcher
from vitrine.inference.joining import buckets, rows_of
from vitrine.inference.provider import Provider, open_session
from vitrine.inference.running import Feeds, Outputs, check_finite, run_session

# What a GPU waits for company, unless told: less than any of its runs takes, and with a batch each costs a part of it.
_COMPANY_US = 200
# Rows of a joint run on the CPU. Hundreds keep a core as busy alone as together, and joining them costs: 16 calls of 500
# rows of `deep` took 32 ms together and 11 apart (2 cores, ONNX Runtime 1.31). Calls of a row or a few gain.
_JOINED_ON_CPU = 64


class OnnxModel:
    """One model, ready to run; safe to call from several threads.

    Attributes:
        inputs: Names of its inputs.
        outputs: Names of its outputs.
        output_shapes: Shape of each output; ``None`` or a name stands for any length.
        provider: What runs it, "cuda" or "cpu", as ONNX Runtime tells after loading.
        budget: Seconds that a run may take unless told otherwise; infinite for a model without settings.
    """

    def __init__(
        self, model: bytes, settings: InferenceConfig | None = None, *, batchable: bool = False
    ) -> None:
        """Loads a model from memory, so that what runs is what was verified.

        Args:
            model: The bytes of the file, without external data.
            settings: What to run on and for how long; ``None``: wherever it runs best, for as long as it takes.
            batchable: Row i of every output depends on row i of the inputs alone (axis 0), so that the rows of
                callers that come together may share a run.

        Raises:
            ConfigError: ONNX Runtime is missing or installed twice, or CUDA was demanded and is not to be had.
            ValueError: The model cannot be loaded, or its shapes contradict ``batchable``.
        """
        chosen = settings or InferenceConfig()
        session, provider = open_session(model, chosen)
        inputs, outputs = session.get_inputs(), session.get_outputs()
        for value in (*inputs, *outputs):
            if not value.type.startswith("tensor("):
                raise ValueError(f"the model's '{value.name}' is a {value.type}; only tensors can be used")
            if batchable and (not value.shape or isinstance(value.shape[0], int)):
                raise ValueError(
                    f"the first axis of the model's '{value.name}' has no free length (shape {value.shape}), "
                    "so requests cannot share a run; export it with a dynamic one"
                )
        self.provider: Provider = provider
        self.budget = settings.budget if settings else math.inf
        self.inputs: tuple[str, ...] = tuple(i.name for i in inputs)
        self.outputs: tuple[str, ...] = tuple(o.name for o in outputs)
        self.output_shapes: tuple[tuple[int | str | None, ...], ...] = tuple(tuple(o.shape) for o in outputs)
        self._run = partial(run_session, session, self.outputs)
        self._max_rows = chosen.max_batch_rows
        self._batcher: Batcher | None = None
        if batchable:
            on_gpu = provider == "cuda"
            slots = 1 if on_gpu else max(1, (os.cpu_count() or 1) // chosen.threads)
            wait = chosen.batch_wait_us
            self._batcher = Batcher(
                self._run,
                slots=slots,
                max_rows=chosen.max_batch_rows if on_gpu else min(_JOINED_ON_CPU, chosen.max_batch_rows),
                pad=on_gpu,
                company=(_COMPANY_US if on_gpu else 0) / 1e6 if wait is None else wait / 1e6,
                most_waiting=chosen.max_waiting,
            )

    def run(self, feeds: Feeds, *, budget: float | None = None) -> Outputs:
        """Runs the model on named inputs and returns its outputs by name.

        Args:
            feeds: Inputs by name.
            budget: Seconds that it may take, waiting included; ``None``: the settings' ``budget_ms``, and longer in
                proportion for more rows than their ``max_batch_rows``; ``math.inf``: as long as it takes, as for a first run, which prepares the device.

        Raises:
            InferenceBusy: Too many requests wait for the model.
            InferenceError: The run failed, or an output has NaN or infinity; names the output.
            InferenceTimeout: It took longer than its budget and was stopped.
        """
        seconds = self._budget_of(feeds) if budget is None else budget
        deadline = math.inf if seconds == math.inf else time.monotonic() + seconds
        if self._batcher is not None:
            rows = rows_of(feeds) if self.provider == "cuda" else 0
            if rows <= self._max_rows:
                return self._batcher.run(feeds, deadline)
            # In parts: a GPU has met no larger shape, and must not meet one in a request.
            parts = [
                self._batcher.run({n: v[at : at + self._max_rows] for n, v in feeds.items()}, deadline)
                for at in range(0, rows, self._max_rows)
            ]
            return {name: np.concatenate([part[name] for part in parts]) for name in self.outputs}
        outputs = self._run(feeds, deadline)
        check_finite(outputs)
        return outputs

    def warm(self, feeds: Feeds) -> None:
        """Runs inputs at every number of rows that requests will be filled up to, where the device stalls on a new one.

        A device that does not: nothing.

        Args:
            feeds: Inputs by name, one row at least, with the other axes as long as those of requests.

        Raises:
            InferenceError: The model failed on them.
        """
        if self._batcher is None or self.provider != "cuda":
            return
        for rows in buckets(self._max_rows):
            at = np.arange(rows) % rows_of(feeds)
            self._run({name: values[at] for name, values in feeds.items()}, math.inf)

    def _budget_of(self, feeds: Feeds) -> float:
        if self._batcher is None:
            return self.budget
        rows = max((len(values) for values in feeds.values() if values.ndim), default=0)
        return self.budget * max(1.0, rows / self._max_rows)
