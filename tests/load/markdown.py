"""Figures and tables as Markdown."""

from collections.abc import Sequence


def number(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return "none"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int]) -> str:
    """A table; ``right``: the columns of figures."""
    rule = ["---:" if column in right else "---" for column in range(len(head))]
    clean = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *clean])
