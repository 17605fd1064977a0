from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.plugin_dist import write_plugin
from tests.unit.hosting.process import helpers
from vitrine.hosting.process import IsolatedPlugin


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., IsolatedPlugin]]:
    """Installs a plugin `zoo` of a source, and starts it; ends it after the test."""
    started: list[IsolatedPlugin] = []
    monkeypatch.syspath_prepend(tmp_path)

    def run(source: str, settings: dict[str, Any] | None = None, **config: Any) -> IsolatedPlugin:
        write_plugin(tmp_path, "zoo", source)
        started.append(helpers.start("zoo", settings, **config))
        return started[-1]

    yield run
    for plugin in started:
        plugin.close()
