"""The regression check compares ratios, each in its own direction."""

from pathlib import Path

import pytest

from tests.load import check
from tests.load.row import Row

COST = Row(what="cost", value=1.2, bound=1.3)
SPEED = Row(what="speed", value=0.6, bound=0.5, at_most=False)


@pytest.mark.parametrize(
    ("row", "before", "good"),
    [
        (COST, 1.2, True),
        (COST, 1.0, True),  # a fifth more, where a quarter is let pass
        (COST, 0.9, False),
        (COST, 5.0, True),
        (SPEED, 0.7, True),
        (SPEED, 0.8, False),
        (SPEED, 0.1, True),
    ],
)
def test_a_ratio_may_be_so_much_worse(row: Row, before: float, good: bool) -> None:
    (verdict,) = check.compare([row], {row.what: before})
    assert verdict.good is good


def test_a_row_says_how_much_it_varies() -> None:
    tail = Row(what="tail", value=3.9, bound=4, tolerance=2)
    assert check.compare([tail], {"tail": 2.0})[0].good


def test_what_is_no_longer_measured_fails_and_what_is_new_does_not() -> None:
    broken = Row(what="cost", value=None, note="no ghz")
    verdicts = {v.what: v for v in check.compare([broken, SPEED], {"cost": 1.0, "gone": 2.0})}
    assert {what for what, v in verdicts.items() if not v.good} == {"cost", "gone"}
    table = check.table(list(verdicts.values()))
    assert [line.split()[0] for line in table.splitlines()] == ["NOT", "NOT", "ok"]


def test_only_ratios_are_committed_beside_those_of_the_other_kind(tmp_path: Path) -> None:
    rows = [
        COST,
        Row(what="memory", value=None, details={"per million": "512 MB"}),
        Row(what="milliseconds by a constant", value=3.0, checked=False),
    ]
    assert check.ratios(rows) == {"cost": 1.2}
    file = tmp_path / "performance" / "ratios.json"
    check.commit("full", [SPEED], file)
    check.commit("quick", rows, file)
    assert check.committed("quick", file) == {"cost": 1.2}
    assert check.committed("full", file) == {"speed": 0.6}


def test_nothing_to_compare_with_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="make them with scripts/bench --keep"):
        check.committed("quick", tmp_path / "ratios.json")


def test_what_is_not_a_ratio_is_not_compared() -> None:
    row = Row(what="milliseconds by a constant", value=9.0, checked=False)
    assert check.compare([row], {}) == []


def test_what_is_worse_only_once_is_noise() -> None:
    known = {"cost": 0.5, "speed": 0.6, "gone": 1.0}
    first = check.compare([COST, SPEED], known)
    better = Row(what="cost", value=0.6, bound=1.3)
    slower = Row(what="speed", value=0.1, bound=0.5, at_most=False)
    # What passed the first time has passed, and what nobody measures is missed both times.
    verdicts = {v.what: v for v in check.again(first, check.compare([better, slower], known))}
    assert {what: v.good for what, v in verdicts.items()} == {"cost": True, "speed": True, "gone": False}
    assert verdicts["cost"].now == 0.6
    assert not check.again(first, first)[0].good
