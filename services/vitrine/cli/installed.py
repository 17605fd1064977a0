"""Looks at the plugins that are installed, for somebody at a terminal: what is wrong with one is a sentence and a place."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitrine.hosting import Plugin

_LOGGER = "vitrine.hosting.discovery"


class _Places(logging.Handler):
    """Takes in what the host logs of plugins that cannot be loaded, which would print tracebacks.

    Attributes:
        of: Where it went wrong, by what the host said.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.of: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        if record.exc_info and record.exc_info[1] is not None:
            self.of[record.getMessage()] = _place(record.exc_info[1])


def installed_plugins() -> "list[tuple[Plugin, str]]":
    """All installed plugins, those that cannot be used included; of those, where in their code it went wrong."""
    from vitrine.hosting import discover

    with _watched() as places:
        plugins = discover()
    said = {plugin.name: f"'{plugin.name}' " for plugin in plugins}
    return [(p, next((at for text, at in places.of.items() if said[p.name] in text), "")) for p in plugins]


@contextmanager
def _watched() -> Iterator[_Places]:
    """Keeps the host's log to itself for a while."""
    log, places = logging.getLogger(_LOGGER), _Places()
    before = log.propagate
    log.addHandler(places)
    log.propagate = False
    try:
        yield places
    finally:
        log.removeHandler(places)
        log.propagate = before


def _place(error: BaseException) -> str:
    """The line that did it, unless that is the host's: a plugin that the host refuses did not fail anywhere."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: {(error.text or '').strip()}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<")]
    last = frames[-1] if frames else None
    if last is None or {"pluggy", "importlib", "hosting"} & set(Path(last.filename).parts):
        return ""
    return f"{last.filename}, line {last.lineno}: {last.line}"
