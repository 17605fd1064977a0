"""What a plugin does wrong is said in words, with the place and what to do; a traceback never."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.trial.conftest import install, ranker
from vitrine.config import Config, PluginConfig
from vitrine.dataset import Dataset
from vitrine.errors import ConfigError, InvalidInput
from vitrine_export.trial import PluginFault, Settings, first, try_plugin

FAULTS = {
    "raises": (
        "raise ValueError('no such season')",
        ["raised ValueError: no such season", "raises.py, line"],
    ),
    "mutates": (
        "batch.items.price_micros[0] = 1; return np.zeros(len(batch.items.ids), np.float32)",
        ["read-only", "change a copy"],
    ),
    "misreads": (
        "return batch.features.column('item.colour')",
        ["there is no such feature column".capitalize(), "domain/columns.py"],
    ),
    "nans": ("return np.full(len(batch.items.ids), np.nan, np.float32)", ["NaN", "partial = True"]),
    "infinite": ("return np.full(len(batch.items.ids), np.inf, np.float32)", ["infinite", "divisions by 0"]),
    "doubles": ("return np.zeros(len(batch.items.ids))", ["float64", "np.asarray(scores, np.float32)"]),
    "short": ("return np.zeros(3, np.float32)", ["shape (3,)", "one score for each"]),
    "lists": ("return [0.0] * len(batch.items.ids)", ["a list", "np.asarray(scores, np.float32)"]),
    "exits": ("raise SystemExit(3)", ["raised SystemExit: 3"]),
}


def refused(name: str, dataset: Dataset, config: Config, **settings: object) -> str:
    with pytest.raises(PluginFault) as fault:
        try_plugin(name, dataset, config, Settings(shoppers=20, **settings))  # type: ignore[arg-type]
    return str(fault.value)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_sentence(
    name: str,
    dataset: Dataset,
    config: Config,
    installed: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    body, signs = FAULTS[name]
    install(installed, name, ranker(name, body))
    text = refused(name, dataset, config)
    for sign in (f"'{name}' failed for 8 of 8 shoppers: ", *signs, "RankerContract"):
        assert sign in text
    out, err = capfd.readouterr()
    assert "Traceback" not in text + out + err


def test_a_fault_for_some_shoppers_only_is_found_too(
    dataset: Dataset, config: Config, installed: Path
) -> None:
    body = "return np.zeros(len(batch.items.ids) - (batch.scenes[0] == 'cart'), np.float32)"
    install(installed, "later", ranker("later", body))
    text = refused("later", dataset, config)
    assert "failed for" in text
    assert "one score for each" in text


def test_one_that_is_not_there_is_answered_with_the_nearest_name(
    dataset: Dataset, config: Config, installed: Path
) -> None:
    install(installed, "seasonal")
    text = refused("seasnal", dataset, config)
    assert "did you mean 'seasonal'?" in text
    assert "pip install -e" in text


def test_one_that_cannot_be_loaded_says_why_and_where(
    dataset: Dataset, config: Config, installed: Path
) -> None:
    install(installed, "broken", "import nonsense_that_is_missing\n")
    text = refused("broken", dataset, config)
    assert "nonsense_that_is_missing" in text
    assert "broken.py, line 1" in text


def test_another_contract_is_refused(dataset: Dataset, config: Config, installed: Path) -> None:
    install(installed, "old", ranker("old").replace("VITRINE_CONTRACT = 1", "VITRINE_CONTRACT = 0"))
    assert "contract 0" in refused("old", dataset, config)


def test_one_that_cannot_be_made_says_what_was_raised(
    dataset: Dataset, config: Config, installed: Path
) -> None:
    source = ranker("unmade").replace("return Ranker()", "return Ranker(load.nothing)")
    install(installed, "unmade", source)
    text = refused("unmade", dataset, config)
    assert "failed to start" in text
    assert "AttributeError" in text
    assert "unmade.py, line" in text


def test_what_the_bundle_lacks_is_said_with_a_way_out(dataset: Dataset, config: Config) -> None:
    text = refused("deep", dataset, config)
    assert "the bundle has no network" in text
    assert "--bundle DIR" in text


def test_one_that_never_comes_back_is_left_behind(
    dataset: Dataset, config: Config, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first, "_PATIENCE_SECONDS", 0.3)
    body = "import time; time.sleep(2); return np.zeros(len(batch.items.ids), np.float32)"
    install(installed, "sleeps", ranker("sleeps", body))
    assert "did not answer within" in refused("sleeps", dataset, config)
    time.sleep(1.8)  # its thread ends before its module is taken away


def test_one_that_is_switched_off_is_not_tried(dataset: Dataset, config: Config, installed: Path) -> None:
    install(installed, "resting")
    off = config.model_copy(update={"plugins": {"resting": PluginConfig(enabled=False)}})
    with pytest.raises(ConfigError, match="switched off"):
        try_plugin("resting", dataset, off, Settings())


def test_scenes_that_cannot_be_tried_are_refused(dataset: Dataset, config: Config, installed: Path) -> None:
    name = install(installed, "fine")
    with pytest.raises(InvalidInput, match="configured are home"):
        try_plugin(name, dataset, config, Settings(scene="front"))
    with pytest.raises(InvalidInput, match="a log does not tell that"):
        try_plugin(name, dataset, config, Settings(scene="search"))


def test_nobody_to_ask_is_said(dataset: Dataset, config: Config, installed: Path) -> None:
    name = install(installed, "lonely")
    late = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    with pytest.raises(InvalidInput, match="2027-01-01 to 2027-01-02, must begin within the data"):
        try_plugin(name, dataset, config, Settings(start=late, end=late + 86_400))
