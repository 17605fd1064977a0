"""With --retrain the reranker meets the plugin: trained with it and without, each serving its own lists."""

from pathlib import Path

import pytest

from tests.unit.trial.conftest import install, ranker
from vitrine.bundle import load_bundle
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine_export.train import Parameters, reranker
from vitrine_export.trial import PluginFault, Settings, bundles, try_plugin

COLUMNS = """
import numpy as np
from vitrine.plugin import FeatureColumn, hookimpl

VITRINE_CONTRACT = 1

class Block:
    columns = (FeatureColumn("letters", "how long its name is"),)
    budget_ms = 50.0

    def compute(self, batch):
        return {"letters": np.array([len(i) for i in batch.items.ids], np.float32)}

@hookimpl
def vitrine_make_features(load):
    return Block()
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Parameters(neural=False, rerank=True, validate=False, label_windows=2)
    monkeypatch.setattr(bundles, "RERANKED", small)
    monkeypatch.setattr(reranker, "MIN_LISTS", 20)


def test_each_pipeline_has_a_reranker_of_its_own(
    dataset: Dataset, config: Config, installed: Path, tmp_path: Path
) -> None:
    install(installed, "likely", ranker("likely"))
    settings = Settings(retrain=True, shoppers=20, examples=1, work=tmp_path / "work")
    found = try_plugin("likely", dataset, config, settings)
    assert found.retrained
    assert not found.can_retrain
    assert not found.notes
    (mine,) = (tmp_path / "work").glob("with-likely-*")
    (theirs,) = (tmp_path / "work").glob("without-*")
    learned = [load_bundle(path).manifest.models["lightgbm"].features for path in (mine, theirs)]
    assert any("ranker:likely." in key for key in learned[0])
    assert not any("likely" in key for key in learned[1])
    assert found.bundle == load_bundle(mine).version
    again = try_plugin("likely", dataset, config, settings)
    assert [t.rows for t in again.tables] == [t.rows for t in found.tables]
    assert len(list((tmp_path / "work").iterdir())) == 3, "nothing is trained twice"


def test_columns_alone_are_worth_something_to_a_reranker_only(
    dataset: Dataset, config: Config, installed: Path, tmp_path: Path
) -> None:
    install(installed, "letters", COLUMNS)
    with pytest.raises(PluginFault, match="Add --retrain"):
        try_plugin("letters", dataset, config, Settings(shoppers=20))
    settings = Settings(retrain=True, shoppers=20, examples=1, work=tmp_path / "work")
    found = try_plugin("letters", dataset, config, settings)
    assert found.columns
    assert found.lines.startswith('features = ["letters"]')
    assert found.overlap == []
    assert {row.part for row in found.latency} == {"features"}
    (mine,) = (tmp_path / "work").glob("with-letters-*")
    assert any(
        "plugin:letters.letters" in key for key in load_bundle(mine).manifest.models["lightgbm"].features
    )


def test_a_reranker_is_tried_against_the_weights(dataset: Dataset, config: Config, tmp_path: Path) -> None:
    settings = Settings(shoppers=20, examples=1, work=tmp_path / "work")
    found = try_plugin("lightgbm", dataset, config, settings)
    assert found.decided == "'lightgbm' decides the order alone; without it, the weights of the scene do."
    assert found.lines == ""
    assert found.changed > 0
    (models,) = (tmp_path / "work").iterdir()
    after = try_plugin("cf", dataset, config, Settings(shoppers=20, examples=1, bundle=models))
    assert "learned with 'cf'" in after.decided


def test_where_none_can_be_trained_the_weights_decide_and_it_is_said(
    dataset: Dataset, config: Config, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reranker, "MIN_LISTS", 1000)
    install(installed, "unlearnt")
    settings = Settings(retrain=True, shoppers=20, examples=1, work=tmp_path / "work")
    found = try_plugin("unlearnt", dataset, config, settings)
    assert not found.retrained
    assert found.decided.startswith(
        "The weights decide in both lists, as no reranker could be trained: fewer"
    )
    install(installed, "letters", COLUMNS)
    with pytest.raises(PluginFault, match="no reranker could be trained with them"):
        try_plugin("letters", dataset, config, settings)


def test_changed_code_is_trained_again(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text("a = 1\n")
    before = bundles.code_of(str(file))
    (tmp_path / "two.py").write_text("b = 1\n")
    assert bundles.code_of(str(file)) == before, "the neighbour of a single module is not its code"
    file.write_text("a = 2\n")
    assert bundles.code_of(str(file)) != before
    package = tmp_path / "__init__.py"
    package.touch()
    whole = bundles.code_of(str(package))
    (tmp_path / "two.py").write_text("b = 2\n")
    assert bundles.code_of(str(package)) != whole
