"""Kinds of data: each is a configuration that holds, and a mistake in one is named."""

from pathlib import Path

import pytest

from vitrine.config import load_config
from vitrine.dataset import Has
from vitrine.errors import ConfigError
from vitrine_export.kinds import KINDS, Kind, kind_for


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_used(name: str) -> None:
    kind = Kind.load(name)
    home = kind.config().scenes["home"]
    assert home.active_sources
    assert home.reranker == "lightgbm"


def test_invoices_are_what_a_server_starts_with() -> None:
    kind = Kind.load("invoices")
    assert kind.config().fingerprint == load_config().fingerprint


def test_a_file_lies_over_the_kind(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[scenes.home]\ncandidates = 77\n")
    config = Kind.load("sequences").config(tmp_path / "own.toml")
    assert config.scenes["home"].candidates == 77
    assert config.scenes["home"].rules.exclude_seen


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[train]\n", r"unknown table \[train\]"),
        ("[training]\nneighbors = 3\n", "did you mean 'neighbours'"),
        ('[training]\nneighbours = "many"\n', "neighbours = 'many' is not like 100"),
        ("[training]\nneural = 1\n", "neural = 1 is not like True"),
        ('[training]\nholdout = "first"\n', "there are weeks, last, share, subjects"),
        ("[training.reranker]\nleafs = 3\n", "did you mean 'leaves'"),
        ("[serving.scenes.home]\ncandidate = 3\n", "candidates"),
        ("[", "not a valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "kind.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        Kind.load(str(tmp_path / "kind.toml"))


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="invoices, sequences, sessions, check-ins"):
        Kind.load("invoice")


def test_data_is_taken_for_a_kind_by_what_it_has() -> None:
    def has(*, times: bool, order: bool) -> Has:
        return Has(
            times=times, order=order, items=True, text=False, prices=False, categories=False, brands=False
        )

    assert kind_for(has(times=True, order=False)) == "invoices"
    assert kind_for(has(times=False, order=True)) == "sequences"
    assert kind_for(has(times=False, order=False)) == "check-ins"


def test_what_a_kind_serves_can_be_served(tmp_path: Path) -> None:
    for name in KINDS:
        kind = Kind.load(name)
        file = kind.write_serving(tmp_path / name)
        assert load_config(file).scenes == kind.config().scenes
        assert file.name == f"{name}.toml"


def test_a_configuration_that_is_called_like_the_bundle_stays(tmp_path: Path) -> None:
    own = tmp_path / "shop.toml"
    own.write_text("[scenes.home]\ncandidates = 120\n", "utf-8")
    kind = Kind.load("sessions")
    file = kind.write_serving(tmp_path / "shop")
    assert file != own
    assert own.read_text("utf-8") == "[scenes.home]\ncandidates = 120\n"
    assert load_config(file).scenes == kind.config().scenes
    # What was written here is written again.
    assert kind.write_serving(tmp_path / "shop") == file


def test_serving_that_is_no_table_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kind.toml"
    file.write_text("serving = 3\n", "utf-8")
    with pytest.raises(ConfigError, match=r"\[serving\] is not a table"):
        Kind.load(str(file))
