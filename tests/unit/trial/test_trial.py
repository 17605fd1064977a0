"""One trial of a good plugin, from the data set to the page."""

import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.unit.evaluate.conftest import START
from tests.unit.trial.conftest import install, ranker
from vitrine.bundle import TrainingWindow, write_bundle
from vitrine.cli.plugin_try import shown
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine_export.evaluate import evaluate_temporal
from vitrine_export.evaluate.serving import changed
from vitrine_export.trial import Settings, Trial, try_plugin, write
from vitrine_export.trial.settings import window

NAME = "liked"


@pytest.fixture(scope="module")
def trial(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    from vitrine.config import load_config

    folder = tmp_path_factory.mktemp("installed")
    install(folder, NAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        return try_plugin(NAME, dataset, load_config(), Settings(examples=4))


def test_the_last_four_weeks_are_held_back(dataset: Dataset, trial: Trial) -> None:
    last = dataset.manifest.last_time
    assert last is not None
    assert 0 < trial.end - last.timestamp() <= 86_400
    assert trial.end - trial.start == 28 * 86_400
    assert window(dataset, START, None)[0] == START


def test_the_tables_hold_every_ranker_alone_and_both_pipelines(trial: Trial) -> None:
    assert [table.key for table in trial.tables] == ["known", "known_new_items", "new"]
    for table in trial.tables:
        methods = [row.method for row in table.rows]
        assert methods[-2:] == [f"without {NAME}", f"with {NAME}"]
        assert {"cf", "content", NAME} <= set(methods)
        assert {c.measure for c in table.comparisons} == {"recall@20", "ndcg@20"}
        by_method = {row.method: row.values for row in table.rows}
        for told in table.comparisons:
            gap = by_method[told.method][told.measure] - by_method[told.against][told.measure]
            assert told.difference.mean == pytest.approx(gap)


def test_the_figures_are_those_of_evaluate(dataset: Dataset, trial: Trial, config: Config) -> None:
    plain = config
    for scene in ("home", "cart"):
        plain = changed(plain, scene, reranker="")
    bundle = next((dataset.path / ".try").glob("base-*"))
    report = evaluate_temporal(
        dataset, start=trial.start, end=trial.end, bundle=bundle, config=plain, ablation=False
    )
    theirs = {(table.key, row.method): row.values for table in report.tables for row in table.rows}
    for table in trial.tables:
        for row in table.rows:
            name = "pipeline" if row.method == f"without {NAME}" else row.method
            if name not in (NAME, f"with {NAME}"):
                assert row.values == theirs[table.key, name], (table.key, name)


def test_popularity_has_itself_in_common_with_nobody_else(trial: Trial) -> None:
    assert {row.other for row in trial.overlap} == {"cf", "content"}
    assert all(0 <= row.shared < 1 for row in trial.overlap)
    assert all(-1 <= row.correlation <= 1 for row in trial.overlap)
    assert trial.says is not None
    assert trial.says.covered == 1
    assert 0 < trial.changed < 1


def test_every_size_is_timed_against_the_budget(trial: Trial) -> None:
    assert [row.candidates for row in trial.latency] == [10, 100, 300, 1000, 3000]
    assert [row.budget_ms for row in trial.latency] == [50, 50, 50, 50, 150]
    assert all(0 < row.median_ms <= row.p99_ms for row in trial.latency)
    assert all(row.calls >= 100 for row in trial.latency)


def test_examples_go_from_the_most_changed_to_the_least(trial: Trial) -> None:
    assert len(trial.examples) == 4
    moved = [
        sum(1 for rank, item in enumerate(example.after, 1) if item.was != rank) for example in trial.examples
    ]
    assert moved == sorted(moved, reverse=True)
    first = trial.examples[0]
    assert first.last
    assert all(item.title != item.item for item in first.after)
    for rank, item in enumerate(first.after, 1):
        if item.was:
            assert first.before[item.was - 1].item == item.item
            assert first.before[item.was - 1].was == rank


def test_a_second_trial_uses_the_models_of_the_first(
    dataset: Dataset, trial: Trial, config: Config, installed: Path
) -> None:
    install(installed, "other")
    steps: list[str] = []
    again = try_plugin("other", dataset, config, Settings(examples=1), lambda step, share: steps.append(step))
    assert again.bundle == trial.bundle
    assert not [step for step in steps if step.startswith("models")]
    rows = {row.method: row.values for row in again.tables[0].rows}
    first = {row.method: row.values for row in trial.tables[0].rows}
    assert rows["without other"] == first[f"without {NAME}"]
    assert rows["with other"] == first[f"with {NAME}"]


def test_a_bundle_that_has_seen_the_window_is_refused(
    dataset: Dataset, config: Config, installed: Path, tmp_path: Path
) -> None:
    name = install(installed, "early")
    write_bundle(tmp_path / "late", item_ids=["i0"], window=TrainingWindow())
    with pytest.raises(InvalidInput, match="has seen the test window"):
        try_plugin(name, dataset, config, Settings(bundle=tmp_path / "late"))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lists_stay_in_line_whatever_the_language(trial: Trial, width: int) -> None:
    console = Console(width=width, color_system=None, file=io.StringIO())
    for part in shown(trial, width):
        console.print(part)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "蓝色陶瓷马克杯" in text
    assert "[bold]" in text, "a title is no markup"
    lines = text.splitlines()
    assert max(cell_len(line) for line in lines) <= width
    rules = [line for line in lines if line.startswith("─" * 20)]
    assert {cell_len(rule) for rule in rules} == {width}
    assert "with liked" in text
    assert ("without liked  " in text) == (width >= 72)


def test_the_page_and_the_file_for_programs_say_the_same(trial: Trial, tmp_path: Path) -> None:
    write(trial, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    whole = json.loads((tmp_path / "out" / "trial.json").read_text("utf-8"))
    assert whole["verdicts"] == trial.verdicts
    assert "http" not in page.replace("http-equiv", "")
    assert "&amp; more" in page
    assert "蓝色陶瓷马克杯" in page
    for row in whole["tables"][0]["rows"]:
        assert f"{row['values']['ndcg@20']:.4f}" in page
    assert "[scenes.home.weights]" in page


def test_a_folder_that_cannot_be_written_is_named(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot write"):
        write(trial, tmp_path / "file")


def test_one_that_says_nothing_of_some_items_is_told_so(
    dataset: Dataset, config: Config, installed: Path
) -> None:
    body = "return np.where(np.arange(len(batch.items.ids)) % 2, np.nan, 1).astype(np.float32)"
    install(installed, "half", ranker("half", body, more="partial = True"))
    found = try_plugin("half", dataset, config, Settings(examples=1, shoppers=10))
    assert found.says is not None
    assert found.says.covered == pytest.approx(0.5, abs=0.02)
    assert found.says.silent == 1
    assert "says something about 50% of the candidates" in found.moved
    assert "tells no candidate from another" in found.moved
    assert found.tables[0].queries == 10
    assert all(table.queries <= 10 for table in found.tables)


def test_one_that_is_slow_is_told_so(dataset: Dataset, config: Config, installed: Path) -> None:
    install(installed, "slow", ranker("slow", budget=0.0001))
    found = try_plugin("slow", dataset, config, Settings(examples=1, shoppers=4))
    assert len(found.slow) == 5


@pytest.mark.parametrize(("scene", "keys"), [("cart", ["new"]), ("buy_again", ["known", "known_new_items"])])
def test_another_scene_is_tried_with_those_whom_it_is_for(
    scene: str, keys: list[str], dataset: Dataset, config: Config, installed: Path
) -> None:
    name = install(installed, f"for_{scene}")
    found = try_plugin(name, dataset, config, Settings(scene=scene, examples=1, shoppers=10))
    assert [table.key for table in found.tables] == keys
    assert list(found.weights) == [scene]
    if scene == "cart":
        assert found.examples[0].basket
    else:
        assert found.decided == "The weights decide, as the scene has no reranker."


def test_a_builtin_is_tried_like_any_other(dataset: Dataset, config: Config) -> None:
    found = try_plugin("content", dataset, config, Settings(examples=1, shoppers=10))
    assert found.given
    assert found.weights == {"home": 0.15, "cart": 0.1}
    assert [row.other for row in found.overlap] == ["cf"]
