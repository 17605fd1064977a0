"""A plugin in a process of its own answers what it answers in the server, and shows what it can do."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.small_bundle import write_small_bundle
from tests.unit.hosting.process.helpers import HEAD, Start, make_batch, ranker, until
from vitrine.config import InferenceConfig, PluginConfig
from vitrine.domain.answer import ReasonCode
from vitrine.errors import InferenceError, PluginFailed
from vitrine.hosting.process import IsolatedPlugin
from vitrine.interest import Interests
from vitrine.plugin import Attributor, Explainer, FeatureBlock, MissingData, Ranker

FULL = """
from vitrine.domain.answer import ReasonCode
class Mine:
    name, version, reason, budget_ms = "mine", "2.5", ReasonCode.TASTE, 1500.0
    partial, after, groups = True, ("cf", "deep"), ("item", "cf")
    def score(self, batch):
        assert not batch.items.rows.flags.writeable
        scores = batch.scores["cf"] + np.nansum(batch.source_scores, axis=1)
        return scores + np.float32(sum(len(p.items) + p.watermark for p in batch.profiles))
    def explain(self, batch, positions): return positions % len(batch.history.ids)
    def group_shares(self, batch, positions): return np.ones((len(positions), 2), np.float32)
    def attribute(self, batch, positions):
        table = np.arange(2 * len(positions), dtype=np.float32).reshape(-1, 2)
        return Attribution(("a", "b"), table, -table, 0.75)
class Block:
    columns = (FeatureColumn("season", "how much of the season it is", 3), FeatureColumn("weight", "grams"))
    budget_ms = 1000.0
    def compute(self, batch): return {"season": batch.items.popularity, "weight": batch.items.trend * 2}
@hookimpl
def vitrine_make_ranker(load): return Mine()
@hookimpl
def vitrine_make_features(load): return Block()
"""


def test_it_answers_all_that_the_plugin_answers(start: Start) -> None:
    plugin = start(HEAD + FULL, processes=2)
    mine, block = plugin.ranker, plugin.block
    assert isinstance(mine, Ranker)
    assert isinstance(mine, Explainer)
    assert isinstance(mine, Attributor)
    assert isinstance(block, FeatureBlock)
    assert (mine.name, mine.version, mine.reason, mine.budget_ms) == ("mine", "2.5", ReasonCode.TASTE, 1500)
    assert (mine.groups, vars(mine)["partial"], vars(mine)["after"]) == (("item", "cf"), True, ("cf", "deep"))
    assert [(c.name, c.text, c.version) for c in block.columns][1] == ("weight", "grams", 1)
    for sizes in ((3,), (5, 0, 300), (0,), (20_000,)):
        batch = make_batch(sizes)
        expected = batch.scores["cf"] + np.nansum(batch.source_scores, axis=1)
        expected += np.float32(sum(len(p.items) + p.watermark for p in batch.profiles))
        np.testing.assert_array_equal(mine.score(batch), expected)
        positions = np.arange(min(sizes[0], 3))
        np.testing.assert_array_equal(mine.explain(batch, positions), positions % len(batch.history.ids))
        assert mine.group_shares(batch, positions).shape == (len(positions), 2)
        told = mine.attribute(batch, positions)
        assert (told.columns, told.base, told.values.shape) == (("a", "b"), 0.75, (len(positions), 2))
        np.testing.assert_array_equal(told.shares, -told.values)
        columns = block.compute(batch)
        np.testing.assert_array_equal(columns["weight"], batch.items.trend * 2)
        assert list(columns) == ["season", "weight"]
        # The name that the host knows them by.
        assert list(plugin.call("features", "compute", batch, 5)) == ["season", "weight"]


def test_a_ranker_that_only_scores_shows_nothing_else(start: Start) -> None:
    plugin = start(ranker("    pass"))
    assert plugin.block is None
    assert isinstance(plugin.ranker, Ranker)
    assert not isinstance(plugin.ranker, Explainer | Attributor)


class Columns:
    """Columns that say how often they were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def column(self, name: str, /) -> npt.NDArray[np.float32]:
        self.asked.append(name)
        return {"item.price": np.arange(3, dtype=np.float32)}[name]

    def matrix(self, names: Sequence[str], /) -> npt.NDArray[np.float32]:
        self.asked.append(" ".join(names))
        return np.ones((3, len(names)), np.float32)

    def interests(self) -> Interests | None:
        self.asked.append("interests")
        if self.asked.count("interests") == 1:
            return None
        if self.asked.count("interests") == 2:
            raise InferenceError("the model failed")
        return Interests(*(np.full((1, 4), value, np.float32) for value in (1, 2, 3)))


def test_derived_columns_are_asked_of_the_server_once_a_call(start: Start) -> None:
    source = """
    def score(self, batch):
        from vitrine.errors import InferenceError
        f = batch.features
        try: f.column("no.such")
        except KeyError as error: assert error.args == ("no.such",)
        assert f.matrix(["a", "b"]).shape == (3, 2) and f.matrix(("a", "b")) is f.matrix(["a", "b"])
        try: interests = f.interests()
        except InferenceError as error: return np.full(3, 7, np.float32)
        assert f.interests() is interests
        base = f.column("item.price") + f.column("item.price")
        return base if interests is None else base + interests.long[0, 0] + interests.interest[0, 0]
    """
    plugin = start(ranker(source))
    assert plugin.ranker is not None
    columns = Columns()
    answers = [plugin.ranker.score(make_batch((3,), features=columns)).tolist() for _ in range(3)]
    assert answers == [[0, 2, 4], [7, 7, 7], [5, 7, 9]]
    once = ["no.such", "a b", "interests"]
    assert columns.asked == [*once, "item.price", *once, *once, "item.price"]


def test_settings_are_what_the_plugin_s_model_makes_of_them(start: Start) -> None:
    source = ranker("    def score(self, batch): return np.full(3, self.settings.factor * 2, np.float32)") + (
        "\nfrom pydantic import BaseModel\nclass Settings(BaseModel):\n    factor: float = 1.0\n"
        "@hookimpl\ndef vitrine_settings(): return Settings\n"
    )
    plugin = start(source, {"factor": 21})
    assert plugin.ranker is not None
    assert plugin.ranker.score(make_batch()).tolist() == [42, 42, 42]


@pytest.mark.parametrize(
    ("source", "error", "says"),
    [
        (HEAD, PluginFailed, "implements no hook"),
        ("import no_such_module", PluginFailed, "failed to load; `vitrine plugins`"),
        ("import os; os._exit(3)", PluginFailed, "its process ended"),
        (
            ranker("    def __init__(self, settings): raise MissingData('no linear model')"),
            MissingData,
            "no linear",
        ),
        (
            ranker("    def __init__(self, settings): raise ValueError('secret')"),
            PluginFailed,
            "^raised ValueError in st",
        ),
        (ranker("    def __init__(self, settings): raise SystemExit"), PluginFailed, "raised SystemExit"),
        (ranker("    version = 7"), PluginFailed, "an attribute .* `str`, got `int` .*version"),
        (ranker("    reason = 99"), PluginFailed, "an attribute .* 99"),
        (HEAD + "@hookimpl\ndef vitrine_make_ranker(load): return 5", PluginFailed, "returned no Ranker"),
        (ranker("    x = bytearray(300 << 20)"), PluginFailed, "failed to load|out of memory"),
    ],
)
def test_a_plugin_that_cannot_start_says_why(
    start: Start, source: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        start(source, processes=2, memory_mb=128)


def test_a_plugin_that_is_not_there_is_not_started(start: Start) -> None:
    with pytest.raises(PluginFailed, match="does not find the plugin"):
        IsolatedPlugin.start(
            "nowhere",
            bundle_path=None,
            bundle_version="",
            settings={},
            config=PluginConfig(),
            inference=InferenceConfig(),
        )


BUNDLE = """
    def score(self, batch):
        import vitrine.bundle
        said = [len(self.settings.bundle), self.settings.version == self.settings.bundle.version]
        for name in ("content", "interest_vectors", "bundle_rows", "catalog", "catalog_rows"):
            try: getattr(self.settings, name)
            except MissingData as error: said.append("isolation = 'thread'" in str(error))
        return np.array(said, np.float32)
"""


def test_it_has_the_files_of_the_bundle_and_nothing_that_follows_the_catalogue(
    start: Start, tmp_path: Path
) -> None:
    version = write_small_bundle(tmp_path / "bundle", models=[], interest=None).version
    source = ranker(BUNDLE).replace("load.settings", "load.bundle")
    start(source)
    for told, answer in ((version, [4, 1, 1, 1, 1, 1, 1]), ("other", None)):
        plugin = IsolatedPlugin.start(
            "zoo",
            bundle_path=tmp_path / "bundle",
            bundle_version=told,
            settings={},
            config=PluginConfig(isolation="process"),
            inference=InferenceConfig(),
        )
        try:
            if answer is None:
                with pytest.raises(PluginFailed, match=r"holds version .* and the server has other"):
                    plugin.call("ranker", "score", make_batch(), 20)
            else:
                assert plugin.call("ranker", "score", make_batch(), 20).tolist() == answer
        finally:
            plugin.close()


def test_closing_ends_the_processes_and_later_calls(start: Start) -> None:
    plugin = start(
        ranker("    def score(self, batch): import os; return np.full(3, os.getpid(), np.float32)"),
        processes=2,
    )
    assert plugin.ranker is not None
    pid = int(plugin.ranker.score(make_batch())[0])
    os.kill(pid, 0)
    for _ in range(2):
        plugin.close()
    until(lambda: not Path(f"/proc/{pid}").exists())
    with pytest.raises(PluginFailed, match="is closed"):
        plugin.ranker.score(make_batch())


def test_a_child_inherits_no_file_of_the_server(start: Start, tmp_path: Path) -> None:
    source = """
    def score(self, batch):
        import os
        return np.array([os.path.exists("/proc/self/fd/200"), len(os.listdir("/proc/self/fd"))], np.float32)
    """
    with (tmp_path / "file").open("w") as file:
        os.dup2(file.fileno(), 200, inheritable=True)
    try:
        plugin = start(ranker(source), processes=2)
    finally:
        os.close(200)
    assert plugin.ranker is not None
    # Standard ones, its end of the channel, the arena, the lifeline, and the folder that it lists.
    assert plugin.ranker.score(make_batch()).tolist() == [0, 7]


def measured(call: Callable[[], object], times: int) -> float:
    """Seconds of the median call."""
    seconds = []
    for _ in range(times):
        before = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - before)
    return float(np.median(seconds))


def test_a_call_costs_less_than_a_millisecond(start: Start) -> None:
    plugin = start(ranker("    pass"))
    assert plugin.ranker is not None
    batch, score = make_batch((300,)), plugin.ranker.score
    score(batch)
    # The best of some: the machine may be busy with other things.
    assert min(measured(lambda: score(batch), 50) for _ in range(10)) < 0.001
