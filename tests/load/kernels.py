"""The kernels of the pipeline, what no Python can make cheaper: recorded as it runs, to be called alone afterwards."""

import math
from collections.abc import Callable
from typing import Any

from vitrine.inference import OnnxModel, TreeModel
from vitrine.retrieval.sources import content, interest

Call = Callable[[], object]
Kernels = dict[str, list[Call]]


class Recorder:
    """Wraps the kernels of a process: while it is told to, it keeps each call with its inputs."""

    def __init__(self) -> None:
        self.kept: Kernels | None = None

    def install(self) -> None:
        """From now on."""
        label = lambda model, feeds, **_: f"network {'/'.join(model.outputs)}"  # noqa: E731
        self._wrap(OnnxModel, "run", label, lambda model, feeds, **_: model._run(feeds, math.inf))
        # LightGBM's own prediction is the kernel, whatever runs the trees here.
        self._wrap(
            TreeModel, "predict", lambda *_: "trees", lambda model, x: model._predict(x, contributions=False)
        )
        for module in (content, interest):
            self._wrap(module, "nearest", lambda *_: "vector search")

    def _wrap(
        self, owner: Any, name: str, label: Callable[..., str], alone: Callable[..., object] | None = None
    ) -> None:
        called = getattr(owner, name)
        kernel = alone or called

        def call(*args: Any, **kwargs: Any) -> Any:
            if self.kept is not None:
                self.kept[label(*args, **kwargs)].append(lambda: kernel(*args, **kwargs))
            return called(*args, **kwargs)

        setattr(owner, name, call)
