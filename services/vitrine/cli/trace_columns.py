"""The steps of a trace as columns of text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from vitrine.api.common.v1 import common_pb2

_CHINESE = {
    "item": "商品",
    "title": "名称",
    "sources": "召回",
    "rules": "规则",
    "caps": "上限",
    "diversity": "多样性",
    "newcomers": "新品位",
    "ranker": "排序器",
    "reranker": "重排器",
    "features": "特征",
    "rank before → after each step; green went up, red went down": "每一步前 → 后的名次；绿色上升，红色下降",
    "rank after each step; ↑ went up, ↓ went down": "每一步之后的名次；↑ 上升，↓ 下降",
    "moved nothing": "未改变名次",
}
# Cells are padded by one on both sides; in wide tables a line stands between two of them.
PADDED, RULED = 2, 3

# A text in the language that is asked for.
Said = Callable[[str], str]


def in_language(locale: str) -> Said:
    """What says texts of a trace in a language: "zh…" or English."""
    return (lambda text: _CHINESE.get(text, text)) if locale.startswith("zh") else (lambda text: text)


@dataclass(frozen=True, slots=True)
class Column:
    """One step as it is shown.

    Attributes:
        header: Name, what it is, time or why it was left out: a line each.
        wide: Cells with both ranks.
        narrow: Cells with the rank after it alone, and an arrow.
        moves: Whether it moved anything.
    """

    header: Text
    wide: tuple[Text, ...]
    narrow: tuple[Text, ...]
    moves: bool

    def width(self, *, wide: bool) -> int:
        """Characters that it takes, with what is around it."""
        lines = [*self.header.plain.split("\n"), *(t.plain for t in (self.wide if wide else self.narrow))]
        return max(map(cell_len, lines)) + (RULED if wide else PADDED)


def columns_of(trace: common_pb2.Trace, said: Said) -> list[Column]:
    """The columns of a trace, one a step."""
    columns: list[Column] = []
    before: Sequence[int] = ()
    for step in trace.steps:
        ranks = list(step.ranks)
        pairs = list(zip(before or ranks, ranks, strict=True))
        columns.append(
            Column(
                _header(step, said),
                tuple(_cell(was, now, wide=True) for was, now in pairs),
                tuple(_cell(was, now, wide=False) for was, now in pairs),
                any(was != now for was, now in pairs) or not columns,
            )
        )
        before = ranks
    return columns


def _header(step: common_pb2.TraceStep, said: Said) -> Text:
    kind, colon, name = step.name.partition(":")
    if not colon:
        return Text(said(kind))
    # Names are other people's texts: brackets in them are no markup.
    header = Text(f"{name}\n{said(kind)}\n")
    if step.left_out:
        code = common_pb2.DegradationCode.Name(step.left_out).removeprefix("DEGRADATION_CODE_")
        return header.append(code, "yellow")
    return header.append(_time(step.duration.ToNanoseconds() / 1e6) if step.HasField("duration") else "–")


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.2f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def _cell(was: int, now: int, *, wide: bool) -> Text:
    """What a step did to one item; 0 is no rank."""
    if was == now:
        return Text(str(now or "–"), "dim")
    up = now > 0 and (now < was or was == 0)
    style = "green" if up else "red"
    if wide:
        return Text.assemble(f"{was or '–'} → ", (str(now or "–"), style))
    return Text(f"{now or '–'}{'↑' if up else '↓'}", style)
