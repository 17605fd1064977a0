"""A chapter out of a whole run: the report, and the lists that stand behind its tables."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vitrine_export.evaluate.bootstrap import Difference
from vitrine_export.evaluate.page.chapters import Chapter
from vitrine_export.evaluate.page.compose.curves import by_history, by_k
from vitrine_export.evaluate.page.compose.evidence import (
    Evidence,
    Values,
    standing_behind,
    sure_of,
    values_of,
)
from vitrine_export.evaluate.page.compose.familiar import by_familiarity
from vitrine_export.evaluate.page.compose.grids import classified, whole_lists
from vitrine_export.evaluate.page.compose.kinds import WITHOUT, kind_of, parts_in
from vitrine_export.evaluate.page.compose.popularity import by_popularity
from vitrine_export.evaluate.page.compose.tables import ablation_of
from vitrine_export.evaluate.page.compose.training import importance_of, learned
from vitrine_export.evaluate.page.parts import Bars, Figure, Kind
from vitrine_export.evaluate.page.words import counted
from vitrine_export.evaluate.report import PIPELINE, Report, Table

if TYPE_CHECKING:
    # At run time it would bring everything that training takes.
    from vitrine_export.train import TrainReport

# How a table is called that has the pipeline without each of its parts.
ABLATION = "_ablation"
# Tables that have a section of their own, or are told elsewhere.
_APART = (ABLATION, "_classification", "_chance")


def chapter_of(
    report: Report, evidence: Sequence[Evidence], *, trained: "TrainReport | None" = None, command: str = ""
) -> Chapter:
    """A chapter.

    Args:
        report: What was found.
        evidence: What stands behind tables of the report; everything but the tables is drawn of the first, and of that of
            its table without each part (its key and `ABLATION`), where there is one.
        trained: How the models were trained, where that was part of the run.
        command: What was typed.
    """
    behind = {one.key: one for one in evidence}
    first = evidence[0] if evidence else None
    values = {one.key: values_of(one) for one in evidence}
    standings = [
        standing_behind(table, behind.get(table.key), values.get(table.key, {}), report.seed)
        for table in report.tables
        if not table.key.endswith(_APART)
    ]
    reranker = trained.rankers.reranker if trained else None
    return Chapter(
        title=report.data,
        protocol=report.protocol,
        told=_told(report),
        counts=report.counts,
        standings=standings,
        curves=_curves(first, values[first.key], report.seed) if first else (),
        ablation=_ablation(report.tables, first, behind, values, report.seed) if first else (),
        lists=whole_lists(first.lists, first.parts) if first else None,
        classification=classified(first.classification) if first else None,
        learning=_learned(trained) if trained else None,
        importance=importance_of(reranker.importance) if reranker else None,
        people=first.people if first else None,
        missing=_reasons(trained),
        seconds=report.seconds,
        milliseconds=report.milliseconds,
        command=command,
        versions={"models": report.bundle, "configuration": report.config, "seed": f"{report.seed}"},
        notes=[tuned.sentence for tuned in report.tuned.values()]
        + report.without
        + [
            f"The pipeline went without something in {counted(count, 'answer')}: {what}."
            for what, count in report.missing.items()
        ],
    )


def _told(report: Report) -> str:
    """What was done, as a sentence of its own."""
    said = report.sentence or report.headline
    return f"{said[:1].upper()}{said[1:]}."


def _reasons(trained: "TrainReport | None") -> dict[str, str]:
    """Why parts that training would give are not there."""
    if trained is None:
        return dict.fromkeys(("learning", "importance"), "the models were trained elsewhere")
    return {} if trained.rankers.reranker else {"importance": "no reranker was trained"}


def _curves(one: Evidence, values: Values, seed: int) -> list[Figure]:
    k = next(iter(one.methods.values())).items.shape[1]
    known = parts_in(values) | set(one.parts)
    # Parts stand in the ablation.
    plain = {n: lists for n, lists in one.methods.items() if kind_of(n, known) is not Kind.PART}
    queries = one.queries
    lengths = (
        np.asarray(queries.history.sum(axis=1)).ravel()
        if queries.sequences is None
        else queries.sequences.sizes
    )
    names = list(dict.fromkeys(m.partition("@")[0] for m in one.measures))
    cut = int(one.measures[0].partition("@")[2])
    return [
        by_k(plain, queries.targets, k, measures=names, seed=seed, users=one.users),
        by_history(
            {n: values[n] for n in plain},
            lengths.astype(np.int64),
            measures=one.measures,
            seed=seed,
            users=one.users,
        ),
        by_popularity(plain, queries.targets, one.taken, cut),
        by_familiarity(plain, queries.targets, queries.taken, cut),
    ]


def _ablation(
    tables: Sequence[Table],
    one: Evidence,
    behind: Mapping[str, Evidence],
    values: Mapping[str, Values],
    seed: int,
) -> list[Bars]:
    """Out of the table of the first group and, where there is one, the table without each part."""
    m = one.measures[0]
    gaps: dict[str, Difference] = {}
    for key in (one.key, one.key + ABLATION):
        found = values.get(key, {})
        named = [name for name in found if name.startswith(WITHOUT) and PIPELINE in found]
        columns = [found[name][m] - found[PIPELINE][m] for name in named]
        sure = sure_of(columns, seed, behind[key].users) if columns else []
        gaps |= {n: Difference(i.mean, i.low, i.high, math.nan) for n, i in zip(named, sure, strict=True)}
    mine = [t for t in tables if t.key in {one.key, one.key + ABLATION}]
    known = {part for table in mine for part in parts_in(row.method for row in table.rows)} | set(one.parts)
    made = [bars for t in mine for bars in ablation_of(t, m, differences=gaps, parts=known)]
    return sorted(made, key=lambda bars: "without" not in bars.title)


def _learned(trained: "TrainReport") -> Figure:
    from vitrine_export.train.picture import panels

    return learned(panels(trained))
