"""Tables that say all that they have to say, on a terminal of 80 columns and into a file as well."""

from collections.abc import Collection

from rich.box import HEAVY_HEAD, SIMPLE_HEAD
from rich.table import Table

# Where there are fewer columns, lines between the cells take room that words need.
_ROOMY = 100


def plugin_table(
    width: int, *columns: str, whole: Collection[str] = ("plugin",), numbers: Collection[str] = ()
) -> Table:
    """A table about plugins that cuts nothing off: what is long is folded, names and numbers stay whole.

    Args:
        width: Columns of the terminal.
        columns: Headers.
        whole: Those of columns that are never folded.
        numbers: Headers of columns of numbers, which come last.
    """
    roomy = width >= _ROOMY
    table = Table(
        box=HEAVY_HEAD if roomy else SIMPLE_HEAD, padding=(0, 1) if roomy else (0, 1, 0, 0), pad_edge=roomy
    )
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in whole)
    for name in numbers:
        table.add_column(name, no_wrap=True, justify="right")
    return table
