"""Exams of data without times: what is asked is nowhere in what may be learned."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from vitrine.config import load_config
from vitrine.dataset import Dataset
from vitrine_export.exams import HOLDOUTS, Exam, held_out_exams
from vitrine_export.exams.undated import hold_out_last, hold_out_share, hold_out_subjects
from vitrine_export.plain import plain_dataset
from vitrine_export.train import Parameters
from vitrine_export.train.base import read_history
from vitrine_export.train.rankers import held_out


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    lists = [[f"i{(user * 7 + step * 3) % 40}" for step in range(2 + user % 9)] for user in range(60)]
    names = [f"u{user}" for user in range(60)]
    return plain_dataset(tmp_path / "data", names, lists, event="click", ordered=True, name="n", source="s")


def _lists(data: Dataset, *, anonymous: bool = False) -> dict[str, list[str]]:
    key = "anonymous_id" if anonymous else "user_id"
    rows = data.events().drop_nulls(key).collect()
    grouped = rows.group_by(key, maintain_order=True).agg("item_id")
    return dict(grouped.iter_rows())


def test_the_last_item_is_asked_for(data: Dataset, tmp_path: Path) -> None:
    before = _lists(data)
    exam = hold_out_last(data, tmp_path / "exam", scene="home", limit=1000, seed=0)
    left = _lists(exam.learn)
    asked = {query.subject: query.targets for query in exam.queries}
    assert asked == {f"u:{u}": {own[-1]} for u, own in before.items() if len(own) >= 3}
    assert left == {u: own[:-1] if len(own) >= 3 else own for u, own in before.items()}
    assert exam.learn.has.order


def test_where_rows_have_no_order_any_item_is_asked_for(tmp_path: Path) -> None:
    lists = [[f"i{(user * 7 + step * 3) % 40}" for step in range(3 + user % 9)] for user in range(60)]
    names = [f"u{user}" for user in range(60)]
    asked = []
    for turned, order in (("ahead", 1), ("back", -1)):
        rows = [own[::order] for own in lists]
        data = plain_dataset(
            tmp_path / turned, names, rows, event="click", ordered=False, name="n", source="s"
        )
        exam = hold_out_last(data, tmp_path / f"{turned} exam", scene="home", limit=1000, seed=0)
        asked.append({query.subject.removeprefix("u:"): query.targets for query in exam.queries})
        left = _lists(exam.learn)
        for name, own in zip(names, lists, strict=True):
            assert {*left[name]} | asked[-1][name] == {*own}
            assert len(left[name]) == len(own) - 1
    assert asked[0] == asked[1]
    assert any(asked[0][name] != {own[-1]} for name, own in zip(names, lists, strict=True))


def test_deeper_exams_know_less(data: Dataset, tmp_path: Path) -> None:
    parameters = Parameters(holdout="last", label_windows=2)
    early, late = held_out_exams(data, (), parameters, {"home"}, tmp_path / "exams", lists=1000, seed=0)
    before = _lists(data)
    for exam, place in ((early, -2), (late, -1)):
        for query in exam.queries:
            own = before[query.subject.removeprefix("u:")]
            assert query.targets == {own[place]}
            assert _lists(exam.learn)[query.subject.removeprefix("u:")] == own[:place]
    assert 0 < len(early.queries) <= len(late.queries)


def test_a_share_of_everybodys_items_is_asked_for(data: Dataset, tmp_path: Path) -> None:
    before = _lists(data)
    exams = [
        hold_out_share(data, tmp_path / f"{fold}", fold=fold, scene="home", limit=1000, seed=3)
        for fold in range(5)
    ]
    for exam in exams:
        left = _lists(exam.learn)
        for query in exam.queries:
            name = query.subject.removeprefix("u:")
            assert set(left[name]) | query.targets == set(before[name])
            assert not set(left[name]) & query.targets
    # Each item of a long enough list is asked for once in all five.
    asked = [(query.subject, item) for exam in exams for query in exam.queries for item in query.targets]
    assert len(asked) == len(set(asked))
    assert {subject for subject, _ in asked} <= {f"u:{u}" for u, own in before.items() if len(set(own)) >= 3}
    assert len(asked) > 0.7 * sum(len(set(own)) for own in before.values() if len(set(own)) >= 3)


def test_whole_sessions_are_held_out_and_their_prefixes_ask(data: Dataset, tmp_path: Path) -> None:
    before = _lists(data)
    exam = hold_out_subjects(data, tmp_path / "exam", fold=1, scene="home", limit=1000, seed=0)
    left, shown = _lists(exam.learn), _lists(exam.shop, anonymous=True)
    owners = {query.owner for query in exam.queries}
    assert owners
    assert not {owner.removeprefix("u:") for owner in owners} & set(left)
    for query in exam.queries:
        own = before[query.owner.removeprefix("u:")]
        prefix = shown[query.subject.removeprefix("a:")]
        assert prefix == own[: len(prefix)]
        assert query.targets == {own[len(prefix)]}
    # Every prefix asks once.
    assert len(exam.queries) == sum(len(before[owner.removeprefix("u:")]) - 1 for owner in owners)
    assert not _lists(exam.learn, anonymous=True)


def test_what_is_drawn_does_not_depend_on_the_order_of_users(data: Dataset, tmp_path: Path) -> None:
    lists = _lists(data)
    turned = plain_dataset(
        tmp_path / "turned",
        list(lists)[::-1],
        list(lists.values())[::-1],
        event="click",
        ordered=True,
        name="n",
        source="s",
    )

    def asked(exam: Exam) -> set[tuple[str, frozenset[str]]]:
        return {(query.subject, query.targets) for query in exam.queries}

    for hold in (hold_out_last, hold_out_share, hold_out_subjects):
        fold = {} if hold is hold_out_last else {"fold": 2}
        first = hold(data, tmp_path / "a", scene="home", limit=10, seed=5, **fold)
        other = hold(turned, tmp_path / "b", scene="home", limit=10, seed=5, **fold)
        if hold is not hold_out_subjects:
            assert len(first.queries) == 10
            assert asked(first) == asked(other)
        else:
            assert len(first.queries) == 10


def test_the_last_of_many_exams_asks_for_the_last_item(tmp_path: Path) -> None:
    lists = [[f"p{place}" for place in range(12)] for _ in range(10)]
    data = plain_dataset(
        tmp_path / "data",
        [str(u) for u in range(10)],
        lists,
        event="click",
        ordered=True,
        name="n",
        source="s",
    )
    parameters = Parameters(holdout="last", label_windows=8)
    exams = held_out_exams(data, (), parameters, {"home"}, tmp_path / "exams", lists=10, seed=0)
    assert [min(exam.queries[0].targets) for exam in exams] == ["p7", "p8", "p9", "p10", "p11"]


@pytest.mark.parametrize("holdout", [name for name in HOLDOUTS if name != "weeks"])
def test_no_exam_knows_or_asks_for_what_came_after_the_end(holdout: str, tmp_path: Path) -> None:
    first, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC)
    rows = [
        (f"{user}-{day}", f"u{user}", f"late{user % 3}" if day > 150 else f"i{(user + day) % 30}", when)
        for user in range(40)
        for day in range(0, 200, 20)
        for when in [first + timedelta(days=day)]
    ]
    events = pl.DataFrame(rows, ["event_id", "user_id", "item_id", "time"], orient="row")
    data = Dataset.write(
        tmp_path / "data",
        events.with_columns(type=pl.lit("view")),
        events.select("item_id").unique().sort("item_id"),
        name="n",
        source="s",
    )
    parameters = Parameters(holdout=holdout, label_windows=1)
    exams, _ = held_out(data, read_history(data, until, 0), parameters, load_config(), tmp_path / "exams", 0)
    for exam in exams:
        named = {item for query in exam.queries for item in query.targets}
        for part in (exam.learn, exam.shop):
            named |= set(part.events().collect()["item_id"].to_list())
        assert exam.queries
        assert not any(item.startswith("late") for item in named)
