"""A trial as one page of HTML that needs nothing else: to be sent to whoever decides."""

from collections.abc import Iterable, Sequence
from html import escape

from vitrine_export.evaluate.page.document import document
from vitrine_export.evaluate.page.html import Html
from vitrine_export.evaluate.page.style import BASE
from vitrine_export.evaluate.report import Table, sentences
from vitrine_export.trial.examples import Example, Shown
from vitrine_export.trial.report import Trial

# Beside what all pages share.
_STYLE = """
h1 { font-size: 1.5rem } h2 { font-size: 1.25rem; margin-top: 3rem } p { max-width: 52rem }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.5rem } .pair ol { margin: .2rem 0; padding: 0; list-style-position: inside }
.pair li { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
@media (max-width: 40rem) { .pair { grid-template-columns: 1fr } }
"""


def page(trial: Trial) -> str:
    """The whole page; texts of the shop are escaped."""
    parts = [
        f"<h1>{escape(trial.headline)}</h1>",
        f"<p>{escape(trial.decided)}</p>",
        *(f"<p>{escape(note)}</p>" for note in trial.notes),
        "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in trial.verdicts) + "</ul>",
        *(_measures(trial, table) for table in trial.tables),
        _overlap(trial),
        _latency(trial),
        "<h2>Lists without and with it</h2>",
        "<p class=dim>From the list that changed most to the one that changed least. ✓ marks what the shopper then took.</p>",
        *(_example(trial, example) for example in trial.examples),
        f"<h2>To serve it like this</h2><pre>{escape(trial.lines)}</pre>" if trial.lines else "",
        f"<p class=dim>{escape(trial.footer)}</p>",
    ]
    title = f"{trial.plugin}, tried on {trial.data}"
    return document(title, [Html("\n".join(filter(None, parts)))], BASE + _STYLE)


def _table(head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table whose first column is text and the others numbers; each row with its class."""
    top = "".join(f"<th{' class=n' if i else ''}>{escape(h)}</th>" for i, h in enumerate(head))
    body = "".join(
        f'<tr class="{mark}">'
        + "".join(f"<td{' class=n' if i else ''}>{escape(cell)}</td>" for i, cell in enumerate(cells))
        + "</tr>"
        for mark, cells in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def _measures(trial: Trial, table: Table) -> str:
    marked = {trial.plugin, f"with {trial.plugin}"}
    rows = (
        ("mine" if row.method in marked else "", [row.method, *(f"{v:.4f}" for v in row.values.values())])
        for row in table.rows
    )
    return (
        f"<h2>{escape(table.title)}</h2>{_table(['method', *table.measures], rows)}"
        + "".join(f"<p>{escape(line)}</p>" for line in sentences(table))
        + f"<p class=dim>{escape(table.note)}</p>"
    )


def _overlap(trial: Trial) -> str:
    if not trial.overlap:
        return ""
    rows = [("", [o.other, number(o.shared, ".0%"), number(o.correlation, "+.2f")]) for o in trial.overlap]
    return (
        "<h2>What it has in common with the others</h2>"
        + _table(["ranker", "of its top 20", "rank correlation"], rows)
        + f"<p>{escape(trial.moved)}</p>"
    )


def _latency(trial: Trial) -> str:
    rows = [
        (
            "" if row.within else "bad",
            [
                row.part,
                f"{row.candidates:,}",
                *(f"{v:.2f}" for v in (row.median_ms, row.p99_ms, row.budget_ms)),
            ],
        )
        for row in trial.latency
    ]
    head = ["part", "candidates", "median ms", "p99 ms", "budget ms"]
    return f"<h2>Time of one call</h2>{_table(head, rows)}" if rows else ""


def _example(trial: Trial, example: Example) -> str:
    past = [f"last: {', '.join(example.last) or 'nothing'}"]
    past += [f"in the basket: {', '.join(example.basket)}"] if example.basket else []
    lists = (
        f"<div><b>{escape(label)} {escape(trial.plugin)}</b><ol>"
        + "".join(_item(i, shown, own) for i, shown in enumerate(items, 1))
        + "</ol></div>"
        for label, items, own in (("without", example.before, False), ("with", example.after, True))
    )
    return (
        f"<h3>{escape(example.shopper)}</h3><p class=dim>{escape('; '.join(past))}</p>"
        f'<div class="pair">{"".join(lists)}</div>'
    )


def _item(rank: int, shown: Shown, after: bool) -> str:
    mark = moved(rank, shown.was) if after else ("" if shown.was else "gone")
    style = {"↑": "good", "n": "good", "↓": "dim", "g": "bad"}.get(mark[:1], "dim")
    taken = " ✓" if shown.taken else ""
    return f"<li>{escape(shown.title)}{taken} <span class={style}>{mark}</span></li>"


def moved(rank: int, was: int) -> str:
    """Which way an item went, and how far; nothing for one that stayed."""
    if not was:
        return "new"
    if rank == was:
        return ""
    return f"↑{was - rank}" if rank < was else f"↓{rank - was}"


def number(value: float, form: str) -> str:
    """A number, or a dash for none."""
    return "–" if value != value else format(value, form)  # noqa: PLR0124 - NaN
