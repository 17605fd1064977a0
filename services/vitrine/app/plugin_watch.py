"""Looks at the plugins every so often, and has health and metrics say how they are."""

from collections.abc import Callable
from typing import Protocol

from vitrine.app.every import Every
from vitrine.domain.plugins import Plugins, PluginState

WATCH_SECONDS = 1.0


class Telling(Protocol):
    """Answers questions after health; `vitrine.rpc.server.GrpcServer` does."""

    async def tell(self, name: str, *, serving: bool | None) -> None:
        """Whether a part serves; ``None`` when there is no such part any more."""
        ...


class Counting(Protocol):
    """Takes states; `vitrine.rpc.metrics.Metrics` does."""

    def plugin_state(self, component: str, *, on: bool) -> None:
        """Whether a part is called."""
        ...

    def plugin_hung(self, component: str, threads: int) -> None:
        """How many threads it keeps."""
        ...

    def plugin_restarted(self, name: str, times: int = 1) -> None:
        """Its process was started again so many times."""
        ...

    def plugin_gone(self, component: str) -> None:
        """No scene uses it any more."""
        ...


class PluginWatch:
    """Follows the plugins that are served, whichever bundle and configuration they are made for.

    A look costs microseconds and takes no lock, so it is done in the event loop. A plugin that is not called is no reason
    to take the server out: only its own name in health says so.

    Args:
        plugins: Answers how they fare now.
        health: Where that is told.
        metrics: Likewise.
        seconds: How often to look.
    """

    def __init__(
        self,
        plugins: Callable[[], Plugins],
        health: Telling,
        metrics: Counting,
        seconds: float = WATCH_SECONDS,
    ) -> None:
        self._plugins = plugins
        self._health = health
        self._metrics = metrics
        self._known: set[str] = set()
        self._restarts: dict[str, int] = {}
        self._since = 0.0
        self._every = Every(seconds, self.look, "looking at the plugins")

    async def start(self) -> None:
        """Looks once, and goes on to do so in the running event loop."""
        await self.look()
        self._every.start()

    async def close(self) -> None:
        """Ends it."""
        await self._every.close()

    async def look(self) -> None:
        """Looks once."""
        served = self._plugins()
        if served.since != self._since:
            # Other processes, which count from 0.
            self._since, self._restarts = served.since, {}
        parts = {component: part for one in served.plugins for component, part in one.parts.items()}
        for component, part in parts.items():
            on = part.state is PluginState.ON
            self._metrics.plugin_state(component, on=on)
            self._metrics.plugin_hung(component, part.hung)
            await self._health.tell(component, serving=on)
        for component in self._known - parts.keys():
            self._metrics.plugin_gone(component)
            await self._health.tell(component, serving=None)
        self._known = set(parts)
        for one in served.plugins:
            if one.isolation == "process":
                self._metrics.plugin_restarted(one.name, one.restarts - self._restarts.get(one.name, 0))
                self._restarts[one.name] = one.restarts
