"""The regression check compares ratios, each in its own direction."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.load import check, ratios
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
    assert [line.split()[0] for line in table.splitlines()] == ["NOT", "NOT", "new"]
    assert "2 not measured" in check.advice(list(verdicts.values()))


def test_only_ratios_are_committed_beside_those_of_the_other_kind(tmp_path: Path) -> None:
    rows = [
        COST,
        Row(what="memory", value=None, details={"per million": "512 MB"}),
        Row(what="milliseconds by a constant", value=3.0, checked=False),
    ]
    file = tmp_path / "performance" / "ratios.json"
    ratios.commit("full", [SPEED], file)
    ratios.commit("quick", rows, file)
    assert ratios.committed("quick", file) == {"cost": 1.2}
    assert ratios.committed("full", file) == {"speed": 0.6}


def test_nothing_to_compare_with_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="make them with scripts/bench --keep"):
        ratios.committed("quick", tmp_path / "ratios.json")


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


PIPELINE = Row(
    what="pipeline",
    value=3.0,
    parts={
        "share of ranker:cf": 0.2,
        "share of ranking": 0.002,
        "calls of kernel network score a window": 1.0,
    },
)
KNOWN = {
    "pipeline": 2.9,
    "pipeline: share of ranker:cf": 0.2,
    "pipeline: calls of kernel network score a window": 1.0,
}


@pytest.mark.parametrize("part", ["share of ranker:cf", "calls of kernel network score a window"])
def test_a_ranker_that_gets_twice_as_dear_does_not_hide_in_the_whole(part: str) -> None:
    assert all(verdict.good for verdict in check.compare([PIPELINE], KNOWN))
    dear = replace(PIPELINE, value=3.1, parts={**PIPELINE.parts, part: 2 * PIPELINE.parts[part]})
    (worse,) = (verdict for verdict in check.compare([dear], KNOWN) if not verdict.good)
    assert (worse.what, worse.row) == (f"pipeline: {part}", "pipeline")
    assert "find the change that made it so" in check.advice([worse])


def test_what_is_too_small_to_be_measured_is_not_compared_until_it_has_grown(tmp_path: Path) -> None:
    file = tmp_path / "ratios.json"
    ratios.commit("quick", [PIPELINE], file)
    known = ratios.committed("quick", file)
    assert known == {**KNOWN, "pipeline": 3.0}
    smaller = replace(
        PIPELINE, parts={**PIPELINE.parts, "share of ranker:cf": 0.002, "share of ranking": 0.003}
    )
    verdicts = {verdict.what: verdict for verdict in check.compare([smaller], known)}
    assert "pipeline: share of ranking" not in verdicts
    assert verdicts["pipeline: share of ranker:cf"].better


def test_what_is_better_is_to_be_written_down_or_it_gets_worse_unnoticed() -> None:
    found = check.compare([COST, SPEED], {"cost": 2.0, "speed": 0.4})
    assert [line.split()[0] for line in check.table(found).splitlines()] == ["better", "better"]
    assert "scripts/bench --keep" in check.advice(found)
    assert check.advice(check.compare([COST], {"cost": 1.2})) == "no ratio is worse"


def test_of_some_modules_only_their_rows_are_compared() -> None:
    assert [v.what for v in check.compare([COST], {"cost": 1.2, "speed": 0.6}, whole=False)] == ["cost"]
