"""Kinds of data: each is a configuration that holds, and a mistake in one is named."""

from dataclasses import fields
from pathlib import Path

import pytest

from vitrine.config import load_config
from vitrine.dataset import Has
from vitrine.errors import ConfigError
from vitrine_export.kinds import KINDS, Kind, kind_for
from vitrine_export.kinds.check import CHOICES, RANGES
from vitrine_export.kinds.fitted import lacking
from vitrine_export.train.parameters import RerankerSettings


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
        ('[training]\nneighbours = "many"\n', 'neighbours = "many": must be a whole number of at least 1'),
        ("[training]\nneighbours = 10.5\n", "neighbours = 10.5: must be a whole number of at least 1"),
        ("[training]\nneural = 1\n", "neural = 1: must be true or false"),
        ("[training]\ntrials = true\n", "trials = true: must be a whole number of at least 0"),
        (
            '[training]\nholdout = "first"\n',
            r'\[training\]: holdout = "first": .* weeks, last, share, subjects',
        ),
        ("[training]\nholdout = 3\n", "holdout = 3: must be one of weeks, last, share, subjects"),
        ('[training]\ndevice = "gpu"\n', 'device = "gpu": must be one of auto, cpu, cuda'),
        ("[training]\nlabel_lists = 0\n", "label_lists = 0: must be a whole number of at least 1"),
        ("[training]\ndimensions = 5000\n", "dimensions = 5000: must be a whole number from 2 to 1024"),
        ("[training]\nhalf_life_days = nan\n", "half_life_days = nan: must be a number above 0"),
        ("[training]\nridge = inf\n", "ridge = inf: must be a number above 0"),
        ("[training]\nreranker = 3\n", r"\[training.reranker\]"),
        (
            "[training.reranker]\nfeature_share = 1.5\n",
            "feature_share = 1.5: must be a number above 0, at most 1",
        ),
        ("[training.reranker]\nlearning_rate = 0\n", r"\[training.reranker\]: learning_rate = 0: "),
        ("training = 3\n", r"\[training\] is not a table"),
        ("[serving.scenes.home]\ndiversity = 2.0\n", "scenes.home.diversity.*less than or equal to 1"),
        ("[serving.scenes.home.sources]\nvisit = 9\n", "unknown source 'visit'; did you mean 'visits'"),
        ("[serving.scenes.home.weights]\nfollow = 1.0\n", "no installed package offers a ranker 'follow'"),
        ("[training.reranker]\nleafs = 3\n", "did you mean 'leaves'"),
        ("[serving.scenes.home]\ncandidate = 3\n", "candidates"),
        ("[", "not a valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "kind.toml").write_text(text)
    with pytest.raises(ConfigError, match=said) as refused:
        Kind.load(str(tmp_path / "kind.toml"))
    assert str(tmp_path / "kind.toml") in str(refused.value)


def test_every_setting_has_a_range_or_choices_and_its_default_is_within() -> None:
    for settings, ranges in RANGES.items():
        usual = settings()
        for field in fields(settings):
            value = getattr(usual, field.name)
            if isinstance(value, str):
                assert value in CHOICES[field.name]
            elif not isinstance(value, bool | RerankerSettings):
                assert field.name in ranges
                assert value is None or value in ranges[field.name]


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


def test_scenes_are_written_without_what_the_bundle_has_no_part_for(tmp_path: Path) -> None:
    kind = Kind.load("sequences")
    off = {"shoppers": "visits are compared instead", "content": "no texts", "lightgbm": "too few lists"}
    said = kind.lacking(off)["home"]
    assert said == {
        "ranker:shoppers": "visits are compared instead",
        "ranker:content": "no texts",
        "source:content": "no texts",
    }
    usual = kind.config().scenes["home"]
    home = load_config(kind.write_serving(tmp_path / "b", off)).scenes["home"]
    assert set(usual.rankers) - set(home.rankers) == {"shoppers", "content"}
    assert set(usual.active_sources) - set(home.active_sources) == {"content"}
    # More lists would bring it: until then answers say so.
    assert home.reranker == "lightgbm"


def test_what_more_data_or_another_option_would_bring_stays_in_the_scene(tmp_path: Path) -> None:
    (tmp_path / "kind.toml").write_text(
        "[serving.scenes.home]\nsources = { interest = 50 }\nweights = { interest = 0.5 }\n", "utf-8"
    )
    kind = Kind.load(str(tmp_path / "kind.toml"))
    assert kind.lacking({"interest": "networks were not asked for", "deep": "no lists"}) == {}


def test_a_scene_keeps_the_sources_that_it_is_nothing_without() -> None:
    scene = Kind.load("sequences").config().scenes["home"].model_copy(update={"sources": {"follows": 100}})
    assert lacking(scene, {"follows": "events have no order"}) == {"ranker:follows": "events have no order"}


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
