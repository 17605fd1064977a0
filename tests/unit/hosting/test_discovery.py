"""Plugins that break while they are imported are listed with the cause; the others are found all the same."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from vitrine import plugin as contract
from vitrine.hosting import discovery

HOOK = "from vitrine.plugin import hookimpl\n@hookimpl\ndef vitrine_make_ranker(load):\n    raise NotImplementedError\n"
GOOD = f"VITRINE_CONTRACT = 1\n{HOOK}"


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lets a test install modules by their source, as the only plugins there are."""
    monkeypatch.syspath_prepend(tmp_path)
    sources = {
        "discovered_exit": "import sys\nsys.exit('no licence')",
        "discovered_own": "class Odd(BaseException): pass\nraise Odd('odd')",
        "discovered_good": GOOD,
        "discovered_silent": HOOK,
        "discovered_old": f"VITRINE_CONTRACT = 0\n{HOOK}",
        "discovered_next": f"VITRINE_CONTRACT = 2\n{HOOK}",
        "discovered_odd": f"VITRINE_CONTRACT = 'one'\n{HOOK}",
        "discovered_import": "from vitrine.plugin import WhatContractTwoHas",
        "discovered_absent": "import what_nobody_has_installed",
        "discovered_misspelt": GOOD.replace("make_ranker", "make_rnaker"),
        "discovered_empty": "VITRINE_CONTRACT = 1",
    }
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
    found = [EntryPoint(n.removeprefix("discovered_"), n, contract.ENTRY_POINT_GROUP) for n in sources]
    monkeypatch.setattr(discovery, "entry_points", lambda **_: found)


@pytest.mark.usefixtures("install")
def test_a_plugin_that_ends_the_process_is_listed_with_the_cause() -> None:
    found = {plugin.name: plugin for plugin in discovery.discover()}
    assert found["exit"].error == "failed to load: SystemExit: no licence"
    assert found["own"].error == "failed to load: Odd: odd"
    assert found["good"].error == ""
    assert found["exit"].host is None
    assert found["good"].host is not None


@pytest.mark.usefixtures("install")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("silent", "add `VITRINE_CONTRACT = 1`"),
        ("old", "is written for contract 0, and this server has 1: install a newer version of it"),
        (
            "next",
            "is written for contract 2, and this server has 1: update Vitrine, or install an older version",
        ),
        ("odd", "is written for contract 'one', and this server has 1"),
        ("import", "it may be written for another contract than 1"),
        ("absent", "failed to load: ModuleNotFoundError: No module named 'what_nobody_has_installed'"),
        (
            "misspelt",
            "implements 'vitrine_make_rnaker', which is no hook; did you mean 'vitrine_make_ranker'?",
        ),
        ("empty", "implements no hook"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_refused_with_what_to_do(name: str, said: str) -> None:
    found = {plugin.name: plugin for plugin in discovery.discover()}
    assert said in found[name].error
    assert found[name].host is None
    assert found[name].offers == ()
    assert found["good"].offers == ("ranker",)


def test_what_is_not_wanted_is_not_imported(install: None) -> None:
    assert [plugin.name for plugin in discovery.discover(lambda name: name == "good")] == ["good"]


def test_the_person_may_still_interrupt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "discovered_slow.py").write_text("raise KeyboardInterrupt", "utf-8")
    entry = EntryPoint("slow", "discovered_slow", contract.ENTRY_POINT_GROUP)
    monkeypatch.setattr(discovery, "entry_points", lambda **_: [entry])
    with pytest.raises(KeyboardInterrupt):
        discovery.discover()
