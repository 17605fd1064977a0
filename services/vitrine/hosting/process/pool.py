"""A plugin in processes of its own: what the host starts, calls and closes."""

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy.typing as npt

from vitrine.config import InferenceConfig, PluginConfig
from vitrine.errors import PluginFailed
from vitrine.hosting.process.arena import Broken
from vitrine.hosting.process.batches import encode_call
from vitrine.hosting.process.handle import Handle, StillWorking
from vitrine.hosting.process.keeper import Keeper
from vitrine.hosting.process.places import Waiting
from vitrine.hosting.process.proxies import IsolatedBlock, make_ranker, seconds_for
from vitrine.hosting.process.results import decode_result
from vitrine.hosting.process.told import Start
from vitrine.plugin import Batch, FeatureBlock, Ranker

log = logging.getLogger(__name__)

START_SECONDS = 60.0
# How long the server waits for children to be gone that it has killed.
_CLOSE_SECONDS = 2.0


class IsolatedPlugin:
    """One plugin in k processes of its own, for one bundle. Any thread may call it.

    What it does in them, spinning, crashing, leaking, hanging, ends at most the call and the process, which is started
    again in the background.

    Attributes:
        ranker: Stands for its ranker; ``None`` when it made none.
        block: Stands for its feature columns; ``None`` when it made none.
    """

    def __init__(self, start: Start, count: int, budget_ms: float | None) -> None:
        self._name = start.name
        self._budget_ms = budget_ms
        self._waiting = Waiting()
        self._keepers: list[Keeper] = []
        deadline = time.monotonic() + start.seconds
        children: list[Handle] = []
        try:
            children.extend(Handle(start) for _ in range(count))
            made, *_ = [child.made(deadline) for child in children]
            self.ranker: Ranker | None = None if made.ranker is None else make_ranker(made.ranker, self)
            self.block: FeatureBlock | None = None if made.block is None else IsolatedBlock(made.block, self)
        except BaseException as error:
            for child in children:
                child.kill()
            for child in children:
                child.wait()
            if isinstance(error, OSError):
                raise PluginFailed(f"no process can be started: {error.strerror}") from None
            if isinstance(error, ValueError):
                raise PluginFailed(f"an attribute is not what vitrine.plugin says: {error}") from None
            raise
        for child in children:
            self._waiting.offer(child)
            self._keepers.append(Keeper(child, made, start, self._waiting))

    @property
    def restarts(self) -> int:
        """How often one of the processes was started again."""
        return sum(keeper.restarts for keeper in self._keepers)

    @property
    def restarting(self) -> bool:
        """Whether none of the processes is there now: they are being started again."""
        return not any(keeper.running for keeper in self._keepers)

    @classmethod
    def start(
        cls,
        name: str,
        *,
        bundle_path: Path | None,
        bundle_version: str,
        settings: Mapping[str, Any],
        config: PluginConfig,
        inference: InferenceConfig,
    ) -> Self:
        """Starts the processes and waits until the plugin has made its parts, at most `START_SECONDS`.

        Args:
            name: The plugin.
            bundle_path: The folder of the bundle; ``None`` without one.
            bundle_version: Its version.
            settings: The plugin's own.
            config: How many processes, and how much memory each may take beyond what an empty one takes.
            inference: What models run on.

        Raises:
            MissingData: The bundle lacks what the plugin needs.
            PluginFailed: It cannot be loaded, fails, or takes too long.
        """
        if os.name != "posix":
            raise PluginFailed("isolation = 'process' needs Linux or macOS; say isolation = 'thread'")
        # What is imported there must be what is imported here, however this was installed.
        path = [_absolute(str(entry)) for entry in sys.path]
        return cls(
            Start(
                path=path,
                name=name,
                bundle_path=None if bundle_path is None else str(bundle_path.absolute()),
                bundle_version=bundle_version,
                settings=dict(settings),
                inference=inference.model_dump(),
                memory_mb=config.memory_mb,
                seconds=START_SECONDS,
            ),
            config.processes,
            config.budget_ms,
        )

    def call(self, target: str, method: str, batch: Batch, seconds: float, *arrays: npt.NDArray[Any]) -> Any:
        """What a method of the ranker or of the block of columns answers, as it answers it; arrays are read-only.

        Args:
            target: "ranker"; anything else is the block.
            method: The method.
            batch: The batch, whose columns the plugin may ask for meanwhile: they are computed in this thread.
            seconds: Time that it may take; waiting for a process that is free counts.
            arrays: ``int64`` arrays that the method takes besides.

        Raises:
            Timeout: It took longer. Its process is killed and started again; unless it was given less than its budget,
                which it then may finish for nobody.
            PluginFailed: It raised (the log says what), crashed, answered nonsense, or is being restarted.
        """
        deadline = time.monotonic() + seconds
        frame = encode_call("ranker" if target == "ranker" else "block", method, batch, arrays)
        child = self._waiting.take(deadline)
        try:
            until = time.monotonic() + self._budget(target, batch)
            result = decode_result(method, child.call(frame, batch.features, deadline, until))
        except StillWorking:
            threading.Thread(target=self._finish, args=(child, until), daemon=True).start()
            raise
        except Broken as error:
            child.kill()
            self._waiting.give_back(child)
            log.warning("plugin '%s': its process %s", self._name, error)
            raise PluginFailed("its process talked nonsense") from None
        except BaseException:
            self._waiting.give_back(child)
            raise
        self._waiting.give_back(child)
        return result

    def _budget(self, target: str, batch: Batch) -> float:
        """Seconds that the plugin has for a call with this batch, however little its caller has."""
        part = self.ranker if target == "ranker" else self.block
        declared = 0.0 if part is None else part.budget_ms
        return seconds_for(self._budget_ms or declared, batch)

    def _finish(self, child: Handle, until: float) -> None:
        child.finish(until)
        self._waiting.give_back(child)

    def close(self) -> None:
        """Ends the processes; calls that are under way fail. Idempotent."""
        self._waiting.close()
        for keeper in self._keepers:
            keeper.close()
        deadline = time.monotonic() + _CLOSE_SECONDS
        for keeper in self._keepers:
            keeper.join(max(0.0, deadline - time.monotonic()))


def _absolute(entry: str) -> str:
    """An entry of `sys.path` for another working directory; some are no folders but names that an importer knows."""
    path = Path(entry or ".")
    return str(path.absolute()) if path.exists() else entry
