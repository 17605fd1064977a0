"""A trace as a table: a row an item, a column a step, with the rank before and after it."""

from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from vitrine.api.common.v1 import common_pb2
from vitrine.cli.trace_columns import PADDED, RULED, Column, Said, columns_of, in_language

_LEAST_TITLE, _MOST_TITLE = 12, 40


def trace_tables(
    trace: common_pb2.Trace,
    item_ids: Sequence[str],
    titles: Sequence[str],
    width: int,
    *,
    locale: str = "",
) -> list[Table]:
    """The trace of a window in as few tables as the width allows.

    What does not fit is left out in this order: the rank before each step and the lines between columns, titles, steps
    that moved nothing (the caption names them); then there are more tables, each with some of the steps.

    Args:
        trace: The trace.
        item_ids: The items of the window.
        titles: Their titles.
        width: Characters that a table may take.
        locale: Language: "zh…" or English.
    """
    said = in_language(locale)
    columns = columns_of(trace, said)
    fixed = max(map(cell_len, (said("item"), *item_ids))) + len(str(len(item_ids)))
    # A table with lines has one more than columns.
    shown, wide, around, room = columns, True, RULED, width - fixed - 2 * RULED - 1
    if _width(shown, wide=True) + _LEAST_TITLE + around > room:
        wide, around, room = False, PADDED, width - fixed - 2 * PADDED
    if _width(shown, wide=wide) > room:
        # Of a plugin it is always told what it did, and be it nothing.
        shown = [c for c in columns if c.moves or "\n" in c.header.plain]
    left_out = [c.header.plain for c in columns if c not in shown]
    title = min(room - _width(shown, wide=wide) - around, _MOST_TITLE)
    caption = said(
        "rank before → after each step; green went up, red went down"
        if wide
        else "rank after each step; ↑ went up, ↓ went down"
    )
    if left_out:
        caption += f"\n{', '.join(left_out)}: {said('moved nothing')}"
    tables = [
        _table(part, item_ids, titles if title >= _LEAST_TITLE else (), title, wide=wide, said=said)
        for part in _parts(shown, room, wide=wide)
    ]
    tables[-1].caption = Text(caption, "table.caption")
    return tables


def _width(columns: Sequence[Column], *, wide: bool) -> int:
    return sum(column.width(wide=wide) for column in columns)


def _parts(columns: Sequence[Column], room: int, *, wide: bool) -> list[list[Column]]:
    """The columns in groups that fit beside the items; a group has one at least."""
    parts: list[list[Column]] = [[]]
    for column in columns:
        if parts[-1] and _width([*parts[-1], column], wide=wide) > room:
            parts.append([])
        parts[-1].append(column)
    return parts


def _table(
    columns: Sequence[Column],
    item_ids: Sequence[str],
    titles: Sequence[str],
    title_width: int,
    *,
    wide: bool,
    said: Said,
) -> Table:
    table = Table(box=box.HEAVY_HEAD if wide else None)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column(said("item"), no_wrap=True)
    if titles:
        table.add_column(said("title"), max_width=title_width, no_wrap=True, overflow="ellipsis")
    for column in columns:
        table.add_column(column.header, justify="right", no_wrap=True)
    for place, item_id in enumerate(item_ids):
        named = [Text(titles[place])] if titles else []
        cells = [(column.wide if wide else column.narrow)[place] for column in columns]
        table.add_row(str(place + 1), Text(item_id), *named, *cells)
    return table
