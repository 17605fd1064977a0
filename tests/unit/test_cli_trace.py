"""A trace as a table, on wide and on narrow terminals."""

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import pytest
from rich.cells import cell_len
from rich.console import Console

from vitrine.api.common.v1 import common_pb2
from vitrine.cli.trace_table import trace_tables

HOSTILE = "lamp [blue] :star: [/b]"


def _step(
    name: str, ranks: Sequence[int], milliseconds: float | None = None, code: int = 0
) -> common_pb2.TraceStep:
    step = common_pb2.TraceStep(name=name, ranks=ranks, left_out=code)  # type: ignore[arg-type]
    if milliseconds is not None:
        step.duration.FromTimedelta(timedelta(milliseconds=milliseconds))
    return step


TRACE = common_pb2.Trace(
    steps=[
        _step("sources", [12, 3, 7]),
        _step("ranker:cf", [3, 12, 7], 0.31),
        _step("ranker:deep", [3, 12, 7], None, common_pb2.DEGRADATION_CODE_TIMEOUT),
        _step("reranker:lightgbm", [4, 2, 1], 12.4),
        _step("rules", [3, 2, 1]),
        _step("caps", [3, 2, 1]),
        _step("diversity", [1, 2, 3]),
    ]
)
IDS = ["mug-1", "mug-2", "茶-3"]


def _shown(width: int, trace: common_pb2.Trace = TRACE, *, locale: str = "", colours: bool = False) -> str:
    out = io.StringIO()
    system: Literal["standard"] | None = "standard" if colours else None
    console = Console(file=out, width=width, force_terminal=colours, color_system=system)
    for table in trace_tables(trace, IDS, ["Red mug", HOSTILE, "陶瓷茶杯"], width, locale=locale):
        console.print(table)
    return out.getvalue()


def _row(shown: str, item_id: str) -> list[str]:
    (line,) = [line for line in shown.splitlines() if item_id in line]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_each_cell_has_the_rank_before_and_after_its_step() -> None:
    shown = _shown(160)
    assert _row(shown, "mug-1") == [
        "1",
        "mug-1",
        "Red mug",
        "12",
        "12 → 3",
        "3",
        "3 → 4",
        "4 → 3",
        "3",
        "3 → 1",
    ]
    assert _row(shown, "mug-2")[2:6] == [HOSTILE, "3", "3 → 12", "12"]
    for said in ("0.31 ms", "TIMEOUT", "12 ms", "reranker", "lightgbm", "diversity"):
        assert said in shown


def test_up_is_green_and_down_is_red() -> None:
    shown = _shown(160, colours=True)
    assert "12 → \x1b[32m3\x1b[0m" in shown
    assert "3 → \x1b[31m12\x1b[0m" in shown


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_no_line_is_wider_than_the_terminal_and_no_rank_is_cut(width: int, locale: str) -> None:
    shown = _shown(width, locale=locale)
    assert max(map(cell_len, shown.splitlines())) <= width
    assert "…" not in "".join(line for line in shown.splitlines() if HOSTILE[:6] not in line)
    for name in ("cf", "deep", "lightgbm"):
        assert name in shown
    assert "0.31 ms" in shown


def test_a_narrow_terminal_gets_the_rank_after_and_an_arrow() -> None:
    (row,) = [line.split() for line in _shown(72).splitlines() if "mug-1" in line]
    assert row == ["1", "mug-1", "12", "3↑", "3", "4↓", "3↑", "3", "1↑"]
    shown = _shown(66)
    assert "caps: moved nothing" in shown
    (row,) = [line.split() for line in shown.splitlines() if "mug-1" in line]
    assert row == ["1", "mug-1", "12", "3↑", "3", "4↓", "3↑", "1↑"]
    assert "陶瓷茶杯" in _shown(85), "where there is room for titles, they come first"


def test_a_very_narrow_terminal_gets_several_tables() -> None:
    assert _shown(40).count("mug-1") > 1


def test_it_speaks_chinese() -> None:
    shown = _shown(160, locale="zh-CN")
    for said in ("商品", "召回", "排序器", "重排器", "规则", "多样性", "绿色上升"):
        assert said in shown


def test_names_are_shown_as_they_are() -> None:
    hostile = common_pb2.Trace(steps=[_step("sources", [1, 2, 3]), _step(f"ranker:{HOSTILE}", [1, 2, 3], 1)])
    assert HOSTILE in _shown(200, hostile)


def test_a_window_without_items_has_a_table_without_rows() -> None:
    empty = common_pb2.Trace(steps=[_step("sources", []), _step("rules", [])])
    (table,) = trace_tables(empty, [], [], 80)
    assert table.row_count == 0
