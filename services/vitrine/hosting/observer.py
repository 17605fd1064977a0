"""Whom the host tells how plugins are doing."""

from typing import Protocol


class Observer(Protocol):
    """Takes what happens to plugins; `vitrine.rpc.metrics.Metrics` does. Called from any thread, and must be quick."""

    def plugin_called(self, component: str, outcome: str, seconds: float) -> None:
        """A call ended.

        Args:
            component: ``ranker:NAME`` or ``features:NAME``.
            outcome: "ok", "failed" (raised), "invalid" (a wrong answer), "timeout" or "off" (not called: the breaker).
            seconds: How long it took.
        """
        ...

    def plugin_changed(self, name: str, changed: int, positions: int) -> None:
        """What a ranker did to one window: so many of its positions have another item after its step than before."""
        ...

    def plugin_state(self, component: str, *, on: bool) -> None:
        """Whether it is called."""
        ...


class Silent:
    """Tells nobody."""

    def plugin_called(self, component: str, outcome: str, seconds: float) -> None:
        """Nothing."""

    def plugin_changed(self, name: str, changed: int, positions: int) -> None:
        """Nothing."""

    def plugin_state(self, component: str, *, on: bool) -> None:
        """Nothing."""


SILENT = Silent()
