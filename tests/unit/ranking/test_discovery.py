"""Plugins that break while they are imported are listed with the cause; the others are found all the same."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from vitrine import plugin as contract
from vitrine.ranking import plugins

GOOD = "from vitrine.plugin import hookimpl\n@hookimpl\ndef vitrine_make_ranker(load):\n    raise NotImplementedError\n"


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lets a test install modules by their source, as the only plugins there are."""
    monkeypatch.syspath_prepend(tmp_path)
    sources = {
        "discovered_exit": "import sys\nsys.exit('no licence')",
        "discovered_own": "class Odd(BaseException): pass\nraise Odd('odd')",
        "discovered_good": GOOD,
    }
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
    found = [EntryPoint(n.removeprefix("discovered_"), n, contract.ENTRY_POINT_GROUP) for n in sources]
    monkeypatch.setattr(plugins, "entry_points", lambda **_: found)


@pytest.mark.usefixtures("install")
def test_a_plugin_that_ends_the_process_is_listed_with_the_cause() -> None:
    found = {plugin.name: plugin for plugin in plugins.discover()}
    assert found["exit"].error == "failed to load: SystemExit: no licence"
    assert found["own"].error == "failed to load: Odd: odd"
    assert found["good"].error == ""
    assert found["exit"].host is None
    assert found["good"].host is not None


def test_the_person_may_still_interrupt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "discovered_slow.py").write_text("raise KeyboardInterrupt", "utf-8")
    entry = EntryPoint("slow", "discovered_slow", contract.ENTRY_POINT_GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda **_: [entry])
    with pytest.raises(KeyboardInterrupt):
        plugins.discover()
