"""The parts of a pipeline, each measured alone and each left out."""

import numpy as np
import pluggy

from tests.unit.evaluate.conftest import START
from vitrine import plugin as contract
from vitrine.app.offline import OfflineShop
from vitrine.config import Config, load_config
from vitrine.dataset import Dataset
from vitrine.domain.answer import ReasonCode
from vitrine.domain.subject import Subject
from vitrine.hosting import Plugin
from vitrine.plugin import Batch, LoadContext, Scores, hookimpl
from vitrine.recommendation.query import WindowQuery
from vitrine_export.evaluate.serving import ablated, alone


class _Ranker:
    version, reason, budget_ms = "1.0", ReasonCode.TASTE, 5000.0

    def __init__(self, name: str) -> None:
        self.name = name

    def score(self, batch: Batch) -> Scores:
        """``cf`` goes by the number of the item, ``deep`` by what ``cf`` said, the other way round."""
        if self.name == "cf":
            return np.array([float(i[1:]) for i in batch.items.ids], np.float32)
        return np.asarray(1 - batch.features.column("ranker:cf.share"), np.float32)


def plugin(name: str) -> Plugin:
    class Module:
        @hookimpl
        def vitrine_make_ranker(self, load: LoadContext) -> _Ranker:
            return _Ranker(name)

    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(Module())
    return Plugin(name, "test 1.0", host)


def config() -> Config:
    settings = load_config()
    weights = {"cf": 1.0, "deep": 0.1, "gone": 1.0, "source:popular": 3.0}
    home = settings.scenes["home"].model_copy(
        update={"weights": weights, "sources": {"popular": 50}, "diversity": 0.0}
    )
    return settings.model_copy(update={"scenes": {"home": home}})


def test_a_ranker_alone_still_reads_the_others(dataset: Dataset) -> None:
    shop = OfflineShop(
        config(),
        OfflineShop.open(dataset, config(), until=START).memory,
        None,
        [plugin("cf"), plugin("deep")],
    )
    there = {name for name, _ in shop.versions.plugins}
    parts = alone(config(), "home", there)
    assert list(parts) == ["cf", "deep", "source:popular"], "of what is not there, nothing is measured"
    query = WindowQuery(Subject.from_key("u:u1"), "home", 10)

    def numbers(name: str) -> list[int]:
        (answer,) = shop.variant(parts[name]).answers([query])
        return [int(item[1:]) for item in answer.item_ids]

    assert numbers("cf") == sorted(numbers("cf"), reverse=True)
    assert numbers("deep") == sorted(numbers("deep")), "it sees what cf says, and decides alone"
    shop.close()


def test_without_a_part_nothing_else_changes() -> None:
    parts = ablated(config(), "home", {"cf", "deep", "lightgbm"})
    said = ["− lightgbm", "− cf", "− deep", "− places for newcomers"]
    assert list(parts) == said, "the only source stays"
    assert parts["− lightgbm"].scenes["home"].reranker == ""
    left = parts["− cf"].scenes["home"]
    assert set(left.weights) == {"deep", "gone", "source:popular"}
    assert left.reranker == "lightgbm"
    assert "− lightgbm" not in ablated(config(), "home", {"cf"})
