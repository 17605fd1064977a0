"""Protocols on plain files: what is learned, who is asked, and that nobody learns from the answers."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine_export.evaluate import fixed_split, leave_one_out, sessions
from vitrine_export.evaluate.tasks import Task


def _write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def _items(dataset: Dataset) -> list[tuple[str, str]]:
    subject = pl.coalesce("user_id", "anonymous_id")
    return list(dataset.events().select(subject, "item_id").collect().iter_rows())


def _answers(task: Task) -> dict[str, set[str]]:
    return {label: set(query.targets) for label, query in zip(task.labels, task.exam.queries, strict=True)}


def test_leave_one_out_hides_each_last_item(tmp_path: Path) -> None:
    file = _write(tmp_path / "sequences.txt", "1 a b c\n2 d e\n3 e a b d\n")
    task, plain = leave_one_out(file, None, tmp_path / "data")
    assert _answers(task) == {"1": {"c"}, "3": {"d"}}
    assert _items(task.exam.learn) == [
        ("1", "a"),
        ("1", "b"),
        ("2", "d"),
        ("2", "e"),
        ("3", "e"),
        ("3", "a"),
        ("3", "b"),
    ]
    assert task.exam.learn is task.exam.shop
    assert (task.exam.learn.has.order, plain.exam.learn.has.order) == (True, False)
    assert _items(plain.exam.learn) == _items(task.exam.learn)
    codes = task.codes(0)
    # An item that only the answers name is in the catalogue all the same: ranking is among all.
    assert codes.ids == ["a", "b", "c", "d", "e"]
    queries = task.queries(codes)
    assert queries.users == ["u:1", "u:3"]
    assert queries.history.toarray().tolist() == [[1, 1, 0, 0, 0], [1, 1, 0, 0, 1]]
    assert queries.sequences is not None
    assert queries.sequences.of(1).tolist() == [4, 0, 1]
    assert plain.queries(codes).sequences is None


def test_a_fixed_split_asks_for_what_training_does_not_hold(tmp_path: Path) -> None:
    train = _write(tmp_path / "train.txt", "1 a b\n2 c\n3 a\n")
    test = _write(tmp_path / "test.txt", "2 a b c\n1 a\n4 b\n3\n")
    (task,) = fixed_split(train, test, None, tmp_path / "data")
    assert _answers(task) == {"2": {"a", "b"}, "4": {"b"}}
    assert not task.exam.learn.has.ordered
    queries = task.queries(task.codes(0))
    assert queries.history.toarray().tolist() == [[0, 0, 1], [0, 0, 0]]
    with pytest.raises(InvalidInput, match="asks for nothing"):
        fixed_split(train, _write(tmp_path / "same.txt", "1 a\n"), None, tmp_path / "again")


def test_sessions_ask_after_each_prefix_and_nobody_learns_from_prefixes(tmp_path: Path) -> None:
    train = _write(tmp_path / "train.txt", "a b a\nb c\n")
    test = _write(tmp_path / "test.tsv", "a b\tz\t7\na\tb\t7\nq\ta\t8\n")
    (task,) = sessions(train, test, None, tmp_path / "data")
    assert _answers(task) == {"0": {"z"}, "1": {"b"}, "2": {"a"}}
    assert task.owners == ["visitor 7", "visitor 7", "visitor 8"]
    assert _items(task.exam.learn) == [("s0", "a"), ("s0", "b"), ("s0", "a"), ("s1", "b"), ("s1", "c")]
    shown = [row for row in _items(task.exam.shop) if row[0].startswith("t")]
    assert shown == [("t0", "a"), ("t0", "b"), ("t1", "a"), ("t2", "q")]
    codes = task.codes(0)
    assert codes.ids == ["a", "b", "c", "q", "z"]
    log = task.log(codes)
    assert (log.user.tolist(), log.item.tolist()) == ([0, 0, 0, 1, 1], [0, 1, 0, 1, 2])
    assert not np.ptp(log.time)
    assert not task.masked


def test_leave_one_out_needs_somebody_to_ask(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("u a\nv b c\n", "utf-8")
    with pytest.raises(InvalidInput, match="has 3 items or more"):
        leave_one_out(tmp_path / "short.txt", None, tmp_path / "data")
