"""Curves, bars and shoppers say what the lists say."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.unit.evaluate.conftest import START
from tests.unit.evaluate.page.demo import ITEMS, QUERIES, K, chapter, lists, panels, targets
from vitrine.app.offline import OfflineShop
from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine.domain.ids import tie_keys
from vitrine_export.evaluate.bootstrap import Difference
from vitrine_export.evaluate.lists import ItemSets, Lists
from vitrine_export.evaluate.metrics import measure
from vitrine_export.evaluate.page import Kind, Page, save_page, write_page
from vitrine_export.evaluate.page.__main__ import main as page_main
from vitrine_export.evaluate.page.compose import (
    ablation_of,
    by_familiarity,
    by_history,
    by_k,
    by_popularity,
    chapter_of,
    importance_of,
    learned,
    people_of,
    standing_of,
    whole_lists,
)
from vitrine_export.evaluate.page.compose.curves import length_buckets
from vitrine_export.evaluate.page.compose.popularity import Shelves
from vitrine_export.evaluate.page.compose.shoppers import choose
from vitrine_export.evaluate.report import PIPELINE, Comparison, Report, Row, Table
from vitrine_export.evaluate.serving import Windows, served, window_queries
from vitrine_export.evaluate.temporal import TemporalSplit


@pytest.fixture(scope="module")
def methods() -> dict[str, Lists]:
    return {name: lists(skill, targets()) for name, skill in ((PIPELINE, 0.4), ("kNN", 0.3), ("− cf", 0.39))}


def test_a_curve_ends_where_the_table_stands(methods: dict[str, Lists]) -> None:
    recall, _ = by_k(methods, targets(), K).plots
    assert [s.name for s in recall.series] == [PIPELINE, "kNN"], "not the pipeline less a part"
    for series in recall.series:
        expected = measure(methods[series.name], targets(), [1, K])
        assert series.values[0] == pytest.approx(expected["recall@1"].mean())
        assert series.values[-1] == pytest.approx(expected[f"recall@{K}"].mean())
        assert (np.diff(series.values) >= 0).all()
    mine = recall.series[0]
    assert all(low < value < high for low, value, high in zip(mine.low, mine.values, mine.high, strict=True))
    assert recall.series[1].low == ()


def test_groups_by_history_hold_each_query_once(methods: dict[str, Lists]) -> None:
    lengths = np.random.default_rng(0).geometric(0.2, QUERIES) - 1
    groups = length_buckets(lengths, 5)
    rows = np.concatenate([rows for _, rows in groups])
    assert sorted(rows.tolist()) == list(range(QUERIES))
    assert groups[0][0] == "0"
    assert all(lengths[rows].max() < lengths[after].min() for (_, rows), (_, after) in pairwise(groups))
    values = {name: measure(of, targets(), [20]) for name, of in methods.items()}
    plot = by_history(values, lengths).plots[0]
    sizes = [len(rows) for _, rows in groups]
    for series in plot.series:
        assert np.average(series.values, weights=sizes) == pytest.approx(
            values[series.name]["recall@20"].mean()
        )
    assert list(plot.counts) == [f"{size} q" for size in sizes]


@pytest.mark.parametrize("lengths", [np.zeros(7, int), np.full(7, 3), np.arange(7), np.array([1])])
def test_any_lengths_make_groups(lengths: np.ndarray) -> None:
    groups = length_buckets(lengths, 5)
    assert sum(len(rows) for _, rows in groups) == len(lengths)
    assert all(len(rows) for _, rows in groups)


def test_shelves_are_thirds_of_what_was_taken_and_equals_stand_together() -> None:
    taken = np.random.default_rng(0).lognormal(1.5, 1.2, 3000).astype(int)
    shelves = Shelves.of(taken)
    assert (shelves.shelf[taken == 0] == 3).all()
    for count in np.unique(taken):
        assert len(set(shelves.shelf[taken == count].tolist())) == 1
    mass = np.bincount(shelves.shelf, taken, minlength=4) / taken.sum()
    assert mass[:3] == pytest.approx(1 / 3, abs=0.1)
    assert taken[shelves.shelf == 0].min() >= taken[shelves.shelf == 1].max()
    assert (Shelves.of(np.zeros(4)).shelf == 3).all()
    assert (Shelves.of(np.ones(4)).shelf == 0).all()


def test_found_targets_by_popularity_add_up_to_all_that_was_found(methods: dict[str, Lists]) -> None:
    wanted = targets()
    taken = np.bincount(wanted.items, minlength=ITEMS)
    taken[::7] = 0
    found, filled = by_popularity(methods, wanted, taken, K).plots
    place = Shelves.of(taken).shelf[wanted.items]
    sizes = np.bincount(place)[np.unique(place)]
    assert found.names == ["head", "middle", "tail", "never taken"]
    hits = (measure(methods["kNN"], wanted, [K])[f"recall@{K}"] * wanted.sizes).sum()
    assert np.dot(found.series[1].values, sizes) == pytest.approx(hits)
    assert filled.series[-1].kind is Kind.REFERENCE
    assert all(sum(s.values) == pytest.approx(1) for s in filled.series)


def test_known_and_new_targets_add_up_to_all_that_was_found(methods: dict[str, Lists]) -> None:
    wanted = targets()
    half = np.arange(len(wanted.items)) % 2 == 0
    history = ItemSets.of_pairs(wanted.queries[half], wanted.items[half], QUERIES)
    figure = by_familiarity(methods, wanted, history, K)
    (plot,) = figure.plots
    sizes = np.array([half.sum(), (~half).sum()])
    assert list(plot.counts) == [f"{size} targets" for size in sizes]
    for series in plot.series:
        found = (measure(methods[series.name], wanted, [K])[f"recall@{K}"] * wanted.sizes).sum()
        assert np.dot(series.values, sizes) == pytest.approx(found)
    assert figure.how.startswith(f"{100 * half.mean():.0f} %")
    assert by_familiarity(methods, wanted, wanted, K).plots == []


def table() -> Table:
    values = {
        PIPELINE: 0.5,
        "cf": 0.4,
        "deep": 0.45,
        "− cf": 0.44,
        "− deep": 0.49,
        "kNN": 0.3,
        "source:popular": 0.1,
    }
    rows = [Row(name, {"ndcg@10": value / 2, "ndcg@20": value}) for name, value in values.items()]
    gap = Difference(0.2, 0.1, 0.3, 0.67)
    return Table("all", "All", 9, rows, [Comparison("kNN", "ndcg@20", gap), Comparison("cf", "ndcg@20", gap)])


def test_parts_stand_beside_the_pipeline_and_methods_beside_each_other() -> None:
    standing = standing_of(table())
    assert [e.method for e in standing.entries] == [PIPELINE, "kNN"]
    assert standing.measures == ["ndcg@20"]
    assert [gap.against for gap in standing.gaps] == ["kNN", "cf alone"]
    without, alone = ablation_of(
        table(), "ndcg@20", differences={"− cf": Difference(-0.06, -0.09, -0.03, -0.12)}
    )
    assert without.base == alone.base == 0.5
    assert [row.name for row in without.rows] == ["cf", "deep"]
    assert [row.name for row in alone.rows] == ["deep", "cf", "source popular"]
    assert without.rows[0].interval == pytest.approx((0.41, 0.47))
    assert ablation_of(Table("x", "x", 1, [Row(PIPELINE, {"ndcg@20": 1.0})]), "ndcg@20") == []


def test_what_the_reranker_goes_by_is_told_in_words() -> None:
    shares = {
        "history.purchases": 0.4,
        "ranker:cf.share": 0.2,
        "ranker:cf.rank": 0.1,
        "plugin:mine.x": 0.1,
        "gone.y": 0.2,
    }
    bars = importance_of(shares)
    assert bars is not None
    groups = {row.name: row for row in bars.rows if row.block == "by what it speaks of"}
    assert {name: round(row.value, 9) for name, row in groups.items()} == {
        "history": 0.4,
        "cf": 0.3,
        "gone": 0.2,
        "mine": 0.1,
    }
    assert groups["history"].text == "how often it was bought before"
    assert next(row for row in bars.rows if row.name == "ranker:cf.share").text == "the score of ranker 'cf'"
    assert importance_of({}) is None
    assert importance_of({"history.purchases": 0.0}) is None


def test_each_training_has_its_curves() -> None:
    plots = learned(panels()).plots
    assert [plot.title for plot in plots] == [
        "deep, cpu, 2 folds: NDCG@20, held out",
        "deep, cpu, 2 folds: loss in training",
        "interest, cpu: NDCG@20, held out",
        "interest, cpu: loss in training",
        "lightgbm, 12,000 lists: NDCG@20, held out",
    ]
    assert [plot.mark for plot in plots] == [None, None, 5, 5, 96]
    assert [s.name for s in plots[0].series] == ["fold 1", "fold 2"]
    assert learned([]).plots == []


def test_measures_of_lists_have_the_pipeline_first() -> None:
    grid = whole_lists({"kNN": {"coverage@20": 0.1}, PIPELINE: {"coverage@20": 0.5, "novelty@20": 9.0}})
    assert grid is not None
    assert [row.method for row in grid.rows] == [PIPELINE, "kNN"]
    assert grid.columns[0] == ("coverage@20", "share of the catalogue that is shown to anybody")
    assert whole_lists({}) is None


def test_shoppers_are_chosen_from_the_best_served_to_the_worst() -> None:
    quality = np.concatenate([np.zeros(900), np.linspace(0.01, 1, 100)])
    chosen = choose(quality, tie_keys(map(str, range(1000)), 0), 10)
    got = quality[chosen]
    assert len(chosen) == len(set(chosen)) == 10
    assert (np.diff(got) <= 0).all()
    assert got[0] == 1
    assert (got == 0).sum() == 3
    assert len(choose(np.zeros(4), tie_keys("abcd", 0), 10)) == 4
    assert len(choose(np.ones(50), tie_keys(map(str, range(50)), 0), 10)) == 10
    assert choose(np.empty(0), tie_keys([], 0), 10) == []


def test_a_shopper_stands_there_as_the_shop_knows_it(dataset: Dataset, split: TemporalSplit) -> None:
    shop = OfflineShop.open(dataset, load_config(), until=START)
    asked = window_queries(split.known, split.codes, "home", 10)
    made = served(shop, Windows(split.known, split.codes, "home", 10))
    people = people_of(shop, asked, split.known.targets, split.codes, made, count=6)
    assert len(people.shoppers) == 6
    assert " % of all queries the 10 places" in people.how
    for one in people.shoppers:
        query = next(i for i, q in enumerate(asked) if q.subject is not None and q.subject.id == one.name)
        assert [o.thing.item for o in one.window] == [split.codes.ids[c] for c in made.items[query] if c >= 0]
        wanted = {split.codes.ids[c] for c in split.known.targets.of(query).tolist()}
        assert {o.thing.item for o in one.window if o.taken} == wanted & {o.thing.item for o in one.window}
        assert {t.item for t in one.took} == wanted
        bought = {split.codes.ids[c] for c in split.known.taken.of(query).tolist()}
        assert {t.item for t in one.history} <= bought
        assert {o.thing.item for o in one.window if o.known} <= bought
        assert all(o.reason and o.sources and o.thing.title.startswith("thing ") for o in one.window)
        assert "day" in one.history[0].note
    undated = people_of(shop, asked, split.known.targets, split.codes, made, count=1, dated=False)
    assert "before" not in undated.shoppers[0].told + undated.shoppers[0].history[0].note
    shop.close()


def test_a_whole_chapter_compares_the_pipeline_with_everybody_else() -> None:
    full = chapter()
    (first,) = full.standings
    baselines = {e.method for e in first.entries if e.kind is Kind.BASELINE}
    assert len(baselines) == 8
    assert {gap.against for gap in first.gaps} == baselines | {"cf alone"}
    means = {e.method: e.values["recall@20"] for e in first.entries}
    for gap in first.gaps[: len(baselines)]:
        assert gap.measure == "recall@20"
        if gap.against in means:
            assert gap.mean == pytest.approx(means[PIPELINE] - means[gap.against])
        assert gap.low < gap.mean < gap.high
    assert all(
        set(e.intervals) == {"recall@20", "ndcg@20"} for e in first.entries if e.kind is not Kind.PUBLISHED
    )
    assert [len(figure.plots) for figure in full.curves] == [2, 2, 2, 1]
    without, alone = full.ablation
    assert {row.name for row in without.rows} == {"cf", "content", "deep", "lightgbm"}
    assert all(row.interval for row in without.rows)
    assert [row.name for row in alone.rows] == ["cf", "deep", "content"]
    assert full.notes == ["The pipeline went without something in 3 answers: ranker:deep: was too slow."]


def test_a_chapter_without_evidence_says_what_is_missing() -> None:
    report = Report("sessions", "x", 0.0, 0.0, 20, 0, sentence="nothing", tables=[table()])
    bare = chapter_of(report, [])
    assert len(bare.standings) == 1
    assert not any((bare.curves, bare.ablation, bare.lists, bare.people))
    assert bare.missing["importance"] == "the models were trained elsewhere"


def test_pages_of_several_runs_become_one(tmp_path: Path) -> None:
    pages = [
        Page("a", [chapter()], "a machine", "2026-11-21"),
        Page("b", [chapter()], "a machine", "2026-11-22"),
    ]
    for number, page in enumerate(pages):
        save_page(tmp_path / str(number) / "report.json", page)
    assert (
        page_main(
            [str(tmp_path / "0"), str(tmp_path / "1"), "--title", "all", "--out", str(tmp_path / "all.html")]
        )
        == 0
    )
    direct = Page("all", [chapter(), chapter()], "a machine", "2026-11-22")
    write_page(tmp_path / "direct.html", direct)
    assert (tmp_path / "all.html").read_text("utf-8") == (tmp_path / "direct.html").read_text("utf-8")


def test_a_page_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert page_main([str(tmp_path), "--out", str(tmp_path / "all.html")]) == 2
    assert "cannot read" in capsys.readouterr().err
    (tmp_path / "report.json").write_text('{"title": 3}')
    assert page_main([str(tmp_path), "--out", str(tmp_path / "all.html")]) == 2
    assert "is not what" in capsys.readouterr().err
