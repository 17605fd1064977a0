"""Protocols on plain files, from the files to the figures: trained, exported, served, measured."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vitrine.errors import InvalidInput
from vitrine_export.evaluate import Report, evaluate_tasks, fixed_split, leave_one_out, sessions
from vitrine_export.evaluate.report import PIPELINE
from vitrine_export.kinds import Kind

ITEMS = 80


def _walks(count: int, seed: int, *, straight: float) -> list[list[str]]:
    """Walks that mostly go from an item to the next one on a ring whose items are named in no order."""
    rng = np.random.default_rng(seed)
    names = [f"商品{name}" for name in np.random.default_rng(0).permutation(ITEMS)]
    walks = []
    for _ in range(count):
        at, walk = int(rng.integers(ITEMS)), []
        for _ in range(int(rng.integers(4, 9))):
            walk.append(names[at])
            at = (at + 1) % ITEMS if rng.random() < straight else int(rng.integers(ITEMS))
        walks.append(walk)
    return walks


def _write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _run(protocol: str, folder: Path, data: Path, *, seed: int = 0) -> Report:
    walks = _walks(400, 1, straight=0.8)
    match protocol:
        case "leave-one-out":
            file = _write(data / "sequences.txt", [f"u{i} {' '.join(w)}" for i, w in enumerate(walks)])
            make, name = (lambda place: leave_one_out(file, None, place)), "sequences"
        case "sessions":
            train = _write(data / "train.txt", [" ".join(walk) for walk in walks])
            asked = _walks(60, 2, straight=0.8)
            rows = [f"{' '.join(w[:n])}\t{w[n]}\tv{i}" for i, w in enumerate(asked) for n in range(1, len(w))]
            test = _write(data / "test.tsv", rows)
            make, name = (lambda place: sessions(train, test, None, place)), "sessions"
        case _:
            train = _write(data / "train.txt", [f"u{i} {' '.join(w[:-2])}" for i, w in enumerate(walks)])
            test = _write(data / "test.txt", [f"u{i} {' '.join(w[-2:])}" for i, w in enumerate(walks)])
            make, name = (lambda place: fixed_split(train, test, None, place)), "check-ins"
    kind = Kind.load(name)
    # Networks have tests of their own.
    quick = replace(kind.parameters, neural=False, label_windows=1, trials=3)
    with pytest.MonkeyPatch.context() as patch:
        # Tuning is part of it, on however few lists.
        patch.setattr("vitrine_export.tuning.within._FEWEST", 20)
        return evaluate_tasks(
            make,
            parameters=quick,
            config=kind.config(),
            out=folder,
            predictions_file=folder / "lists.parquet",
            seed=seed,
            ablation=protocol == "sessions",
        )


@pytest.fixture(scope="module", params=["leave-one-out", "sessions", "fixed-split"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Report, Path]:
    folder = tmp_path_factory.mktemp("task")
    return request.param, _run(request.param, folder / "report", folder), folder / "report"


def test_what_follows_is_foreseen(ran: tuple[str, Report, Path]) -> None:
    protocol, report, _ = ran
    table = report.tables[0]
    found = {row.method: row.values["ndcg@20"] for row in table.rows}
    assert found[PIPELINE] > 2 * found["popularity"]
    assert found[PIPELINE] >= 0.9 * max(found[name] for name in table.rankers)
    if protocol != "fixed-split":
        # Four of five steps go to the next item; a set knows of no next one.
        assert found[PIPELINE] > 0.6
        assert {"Markov chain", "session kNN"} <= set(found)
    else:
        assert "Markov chain" not in found


def test_figures_can_be_recomputed_from_the_files(ran: tuple[str, Report, Path]) -> None:
    _, report, folder = ran
    lists = pl.read_parquet(folder / "lists.parquet")
    targets = pl.read_parquet(folder / "targets.parquet")
    assert lists.schema == {"query": pl.String, "rank": pl.Int32, "item": pl.String, "score": pl.Float32}
    sizes = targets.group_by("query").len()
    hits = targets.join(lists, on=["query", "item"])
    found = sizes.join(hits.group_by("query").len("hits"), on="query", how="left").fill_null(0)
    printed = json.loads((folder / "metrics.json").read_text("utf-8"))["tables"][0]
    whole = next(row for row in printed["rows"] if row["method"] == PIPELINE)
    assert (found["hits"] / found["len"]).mean() == pytest.approx(whole["values"]["recall@20"], abs=1e-12)
    low, high = whole["intervals"]["recall@20"]
    assert low < whole["values"]["recall@20"] < high
    assert sizes.height == printed["queries"] == report.tables[0].queries
    assert "商品" in (folder / "report.html").read_text("utf-8")


def test_a_list_holds_nothing_that_its_protocol_forbids(ran: tuple[str, Report, Path]) -> None:
    protocol, _, folder = ran
    lists = pl.read_parquet(folder / "lists.parquet")
    assert lists.group_by("query").agg(pl.col("item").n_unique() == pl.len())["item"].all()
    if protocol == "sessions":
        return
    file = folder.parent / ("sequences.txt" if protocol == "leave-one-out" else "train.txt")
    known = {line.split()[0]: line.split()[1:] for line in file.read_text("utf-8").splitlines()}
    for query, item in lists.select("query", "item").iter_rows():
        own = known[query]
        assert item not in (own[:-1] if protocol == "leave-one-out" else own)


def test_the_classification_view_is_told(ran: tuple[str, Report, Path]) -> None:
    _, report, _ = ran
    view = next(table for table in report.tables if table.key.endswith("_classification"))
    figures = view.rows[0].values
    assert list(figures) == ["auc", "accuracy", "precision", "recall", "f1"]
    assert 0.6 < figures["auc"] <= 1


def test_targets_of_the_visit_itself_and_new_ones_stand_apart(ran: tuple[str, Report, Path]) -> None:
    protocol, report, folder = ran
    tables = {table.key: table for table in report.tables}
    if protocol != "sessions":
        assert not any(key.endswith(("_repeated", "_fresh")) for key in tables)
        return
    whole, repeated, fresh = (tables[f"sessions{part}"] for part in ("", "_repeated", "_fresh"))
    assert whole.queries == repeated.queries + fresh.queries
    assert repeated.queries > 0
    found = [{row.method: row.values["hr@20"] for row in t.rows} for t in (whole, repeated, fresh)]
    assert {PIPELINE, "visits", "Markov chain", "buy again"} <= set(found[0])
    for method, value in found[0].items():
        parts = repeated.queries * found[1][method] + fresh.queries * found[2][method]
        assert value == pytest.approx(parts / whole.queries)
    # Who repeats finds what is new only among the popular.
    assert found[2]["buy again"] < 0.5 < found[1]["buy again"]
    assert repeated.comparisons
    assert "targets new in the visit" in (folder / "report.md").read_text("utf-8")
    test = [line.split("\t") for line in (folder.parent / "test.tsv").read_text("utf-8").splitlines()]
    assert repeated.queries == sum(target in shown.split() for shown, target, _ in test)


def test_what_the_data_cannot_have_is_said_once_and_not_by_every_answer(
    ran: tuple[str, Report, Path],
) -> None:
    protocol, report, folder = ran
    assert report.missing == {}
    if protocol == "leave-one-out":
        assert report.left_out["leave_one_out: ranker:shoppers"] == "visits are compared instead"
        said = "Left out, as the bundle has no part for it: leave_one_out: ranker:shoppers"
        assert said in (folder / "report.md").read_text("utf-8")
    if protocol == "fixed-split":
        assert "fixed_split: ranker:shoppers" not in report.left_out


def test_without_order_nothing_that_goes_by_it_is_left(tmp_path: Path) -> None:
    report = _run("leave-one-out", tmp_path / "report", tmp_path)
    ordered, plain = (
        table for table in report.tables if table.key.startswith("leave_one_out") and "_cl" not in table.key
    )
    assert plain.key == "leave_one_out_unordered"
    methods = {row.method for row in plain.rows}
    assert not methods & {"Markov chain", "sequential rules", "session kNN", "follows", "visits"}
    best = {
        t.key: next(r.values["ndcg@10"] for r in t.rows if r.method == PIPELINE) for t in (ordered, plain)
    }
    # Of a ring's neighbours one is next, the other the one before: half of the time it comes second.
    assert best[plain.key] < 0.9 * best[ordered.key]


def test_the_same_seed_gives_the_same_lists(ran: tuple[str, Report, Path], tmp_path: Path) -> None:
    protocol, report, folder = ran
    if protocol != "sessions":
        pytest.skip("the sessions do for all: they draw most")
    again = _run(protocol, tmp_path / "report", tmp_path)
    assert again.bundle == report.bundle
    assert [table.rows for table in again.tables] == [table.rows for table in report.tables]
    assert [t.sentence for t in again.tuned.values()] == [t.sentence for t in report.tuned.values()]
    assert (tmp_path / "report" / "lists.parquet").read_bytes() == (folder / "lists.parquet").read_bytes()


def test_what_was_tuned_is_told_with_its_time(ran: tuple[str, Report, Path]) -> None:
    _, report, folder = ran
    (tuned, *_) = report.tuned.values()
    assert tuned.trials == 3
    told = json.loads((folder / "metrics.json").read_bytes())
    (step, *_) = told["tuned"]
    assert told["seconds"][step] == pytest.approx(tuned.seconds)
    assert told["seconds"][step.replace("tuning", "training")] > 0
    for name in ("report.md", "report.html"):
        assert "Tuning of the reranker, 3 trials: " in (folder / name).read_text("utf-8")
    # What was chosen is what the bundle says that it was fitted with.
    used = json.loads((folder / "bundle" / "manifest.json").read_bytes())["parameters"]
    chosen = tuned.best if tuned.better else tuned.defaults
    assert {name: used[f"reranker.{name}"] for name in chosen} == chosen


def test_options_of_another_protocol_are_refused() -> None:
    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", "vitrine", "evaluate", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode != 0
        return done.stderr

    assert "--train, --test" in said("--protocol", "sessions", "--train", "x")
    assert "is not for" in said("--protocol", "leave-one-out", "--sequences", "x", "--test", "y")
    assert "--data, --from, --to" in said("--data", "x")
    assert "cannot read" in said("--protocol", "leave-one-out", "--sequences", "/nowhere/x")


def test_files_that_say_nothing_are_refused(tmp_path: Path) -> None:
    empty = _write(tmp_path / "empty.txt", [""])
    with pytest.raises(InvalidInput, match="names no item"):
        leave_one_out(empty, None, tmp_path / "data")


def test_models_of_other_data_are_refused(ran: tuple[str, Report, Path], tmp_path: Path) -> None:
    protocol, _, folder = ran
    if protocol != "leave-one-out":
        pytest.skip("once is enough")
    kind = Kind.load("sequences")

    def measured(text: str) -> Report:
        file = _write(tmp_path / "sequences.txt", text.splitlines())
        return evaluate_tasks(
            lambda place: leave_one_out(file, None, place),
            parameters=kind.parameters,
            config=kind.config(),
            bundle=folder / "bundle",
            ablation=False,
        )

    with pytest.raises(InvalidInput, match="may have seen the answers"):
        measured("u1 a b c\nu2 a b d\n")


def test_lists_that_cannot_be_written_are_noticed_first(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="predictions: cannot write"):
        evaluate_tasks(
            lambda _: pytest.fail("nothing is to be read yet"),
            parameters=Kind.load("sequences").parameters,
            config=Kind.load("sequences").config(),
            predictions_file=_write(tmp_path / "file", ["x"]) / "lists.parquet",
        )
