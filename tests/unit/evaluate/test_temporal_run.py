"""The whole protocol on a toy shop: files, determinism, and nothing of the test window in any list."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.unit.evaluate.conftest import END, START, empty_bundle, shop
from vitrine.bundle import TrainingWindow, write_bundle
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine_export.evaluate import Report, evaluate_temporal
from vitrine_export.evaluate.report import PIPELINE
from vitrine_export.train import Parameters


def run(dataset: Dataset, folder: Path, *, seed: int = 0) -> Report:
    return evaluate_temporal(
        dataset,
        start=START,
        end=END,
        out=folder,
        predictions_file=folder / "lists.parquet",
        seed=seed,
        # Networks have tests of their own.
        parameters=Parameters(neural=False, label_windows=1),
    )


@pytest.fixture(scope="module")
def ran(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    folder = tmp_path_factory.mktemp("run")
    return run(dataset, folder), folder


def values(report: Report) -> list[tuple[str, str, dict[str, float]]]:
    return [(table.key, row.method, row.values) for table in report.tables for row in table.rows]


def test_every_method_stands_in_every_table(ran: tuple[Report, Path]) -> None:
    tables = {table.key: {row.method for row in table.rows} for table in ran[0].tables}
    assert set(tables) == {"known", "known_new_items", "new", "new_items", "known_classification"}
    assert "Known customers" in (ran[1] / "report.html").read_text("utf-8")
    simple = {"popularity", "buy again", "item kNN", "cf", "content", PIPELINE}
    for key in ("known", "known_new_items", "new"):
        assert simple <= tables[key]
    assert {"source:bought_again", "source:co_visitation"} <= tables["known"]


def test_the_printed_figures_can_be_recomputed_from_the_files(ran: tuple[Report, Path]) -> None:
    report, folder = ran
    lists = pl.read_parquet(folder / "lists.parquet")
    targets = pl.read_parquet(folder / "targets.parquet").filter(pl.col("role") == "target")
    assert lists.columns == ["query", "rank", "item", "score"]
    assert lists["rank"].min() == 1
    metrics = json.loads((folder / "metrics.json").read_text())
    for key in ("known", "new"):
        wanted = targets.filter(pl.col("group") == key)
        sizes = wanted.group_by("query").len()
        hits = wanted.join(lists.filter(pl.col("rank") <= 20), on=["query", "item"])
        found = sizes.join(hits.group_by("query").len("hits"), on="query", how="left").fill_null(0)
        recall = (found["hits"] / found["len"]).mean()
        table = next(t for t in metrics["tables"] if t["key"] == key)
        printed = next(row for row in table["rows"] if row["method"] == PIPELINE)["values"]["recall@20"]
        assert recall == pytest.approx(printed, abs=1e-12)
        assert sizes.height == table["queries"]
        assert f"{printed:.4f}" in (folder / "report.md").read_text()
    assert report.bundle == metrics["bundle"]


def test_what_is_compared_is_there_customer_by_customer(ran: tuple[Report, Path]) -> None:
    report, folder = ran
    values = pl.read_parquet(folder / "values.parquet")
    means = values.group_by("group", "method", "measure").agg(pl.col("value").mean(), queries=pl.len())
    told = {(g, m, of): (value, q) for g, m, of, value, q in means.iter_rows()}
    for table in report.tables:
        rows = {row.method: row.values for row in table.rows}
        for comparison in table.comparisons:
            for method in (comparison.against, comparison.method):
                key = (table.key, method, comparison.measure)
                assert told[key] == (pytest.approx(rows[method][comparison.measure]), table.queries)
    assert {key[1] for key in told if key[0] == "known"} == {"pipeline", "buy again", "buy again by recency"}


def test_scores_fall_along_each_list(ran: tuple[Report, Path]) -> None:
    lists = pl.read_parquet(ran[1] / "lists.parquet").sort("query", "rank")
    rises = lists.with_columns(rise=pl.col("score").diff().over("query"))["rise"].max()
    assert isinstance(rises, float)
    assert rises <= 0


def test_the_same_seed_gives_the_same_report(
    dataset: Dataset, ran: tuple[Report, Path], tmp_path: Path
) -> None:
    again = run(dataset, tmp_path)
    assert values(again) == values(ran[0])
    assert again.bundle == ran[0].bundle
    assert (tmp_path / "lists.parquet").read_bytes() == (ran[1] / "lists.parquet").read_bytes()


def test_what_happens_in_the_test_window_changes_no_list(ran: tuple[Report, Path], tmp_path: Path) -> None:
    other = run(shop(tmp_path / "data", window_seed=5), tmp_path)
    mine, theirs = (
        pl.read_parquet(folder / "lists.parquet").join(
            pl.read_parquet(folder / "targets.parquet")
            .filter(pl.col("group") == "known")
            .select("query")
            .unique(),
            on="query",
            how="semi",
        )
        for folder in (ran[1], tmp_path)
    )
    both = set(mine["query"]) & set(theirs["query"])
    assert len(both) == 30
    one, two = (t.filter(pl.col("query").is_in(both)).sort("query", "rank") for t in (mine, theirs))
    assert one.equals(two)
    # …while the targets, and so the figures, are others.
    assert values(other) != values(ran[0])
    assert other.bundle == ran[0].bundle


def test_items_of_the_test_window_are_not_in_the_catalogue(ran: tuple[Report, Path]) -> None:
    lists = pl.read_parquet(ran[1] / "lists.parquet")
    assert not set(lists["item"]) & {f"i{n}" for n in range(54, 60)}


def test_a_bundle_that_has_seen_the_window_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    late = datetime(2026, 3, 2, tzinfo=UTC)
    write_bundle(tmp_path / "late", item_ids=["i0"], window=TrainingWindow(until=late))
    with pytest.raises(InvalidInput, match="has seen the test window"):
        evaluate_temporal(dataset, start=START, end=END, bundle=tmp_path / "late")
    write_bundle(tmp_path / "unknown", item_ids=["i0"])
    with pytest.raises(InvalidInput, match="has seen the test window"):
        evaluate_temporal(dataset, start=START, end=END, bundle=tmp_path / "unknown")


def test_a_bundle_without_models_is_measured_all_the_same(dataset: Dataset, tmp_path: Path) -> None:
    report = evaluate_temporal(dataset, start=START, end=END, bundle=empty_bundle(tmp_path / "empty"))
    known = next(table for table in report.tables if table.key == "known")
    by_method = {row.method: row.values["recall@20"] for row in known.rows}
    assert by_method[PIPELINE] > 0


def test_the_command_prints_the_table(dataset: Dataset, tmp_path: Path) -> None:
    import typer
    from typer.testing import CliRunner

    from vitrine.cli.evaluate import evaluate_command

    app = typer.Typer()
    app.command()(evaluate_command)
    args = ["--data", str(dataset.path), "--from", "2026-03-01", "--to", "2026-04-01", "--out", str(tmp_path)]
    bundle = empty_bundle(tmp_path / "empty")
    result = CliRunner().invoke(app, [*args, "--bundle", str(bundle)])
    assert result.exit_code == 0, result.output
    assert "pipeline" in result.output
    assert "buy again" in result.output
    both = CliRunner().invoke(app, [*args, "--bundle", str(bundle), "--train", "file"])
    assert "train: is not for `--protocol temporal`" in str(both.exception)


def test_the_command_says_what_training_needs(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer
    from typer.testing import CliRunner

    from vitrine.cli import train
    from vitrine.cli.evaluate import evaluate_command

    monkeypatch.setattr(
        train, "_missing", lambda wanted: [name for name in wanted.values() if name == "torch"]
    )
    app = typer.Typer()
    app.command()(evaluate_command)
    args = ["--data", str(dataset.path), "--from", "2026-03-01", "--to", "2026-04-01"]
    told = str(CliRunner().invoke(app, args).exception)
    assert told.endswith("run `pip install 'vitrine-recommender[train]'`, or give --bundle")
    assert "training needs torch" in told


@pytest.mark.parametrize(
    ("file", "given", "expected"),
    [
        ("", [], (8, None)),
        ("", ["--trials", "0", "--tune-minutes", "3"], (0, 3.0)),
        ("trials = 30\ntune_minutes = 5", [], (30, 5.0)),
        ("trials = 30\ntune_minutes = 5", ["--trials", "4"], (4, 5.0)),
        ("trials = 30\ntune_minutes = 5", ["--tune-minutes", "2"], (30, 2.0)),
        ("trials = 0", [], (0, None)),
    ],
)
def test_the_command_tunes_by_itself_as_the_options_or_else_the_kind_say(
    file: str,
    given: list[str],
    expected: tuple[int, float | None],
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import typer
    from typer.testing import CliRunner

    from vitrine.cli.evaluate import evaluate_command

    seen: list[Parameters] = []

    def stop(*_: object, parameters: Parameters, **__: object) -> None:
        seen.append(parameters)
        raise InvalidInput("data", "enough")

    monkeypatch.setattr("vitrine_export.evaluate.evaluate_temporal", stop)
    app = typer.Typer()
    app.command()(evaluate_command)
    args = ["--data", str(dataset.path), "--from", "2026-03-01", "--to", "2026-04-01", "--out", str(tmp_path)]
    if file:
        (tmp_path / "kind.toml").write_text(f"[training]\n{file}\n")
        args += ["--kind", str(tmp_path / "kind.toml")]
    result = CliRunner().invoke(app, [*args, *given])
    assert "enough" in str(result.exception)
    assert [(p.trials, p.tune_minutes) for p in seen] == [expected]
