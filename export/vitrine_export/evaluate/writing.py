"""Writes what was found: for programs, for people, and as one page."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from vitrine.app.offline import OfflineShop
from vitrine_export.evaluate.beyond import Background, describe, text_vectors
from vitrine_export.evaluate.classification import Classification
from vitrine_export.evaluate.groups import Group
from vitrine_export.evaluate.groups import Measured as GroupMeasured
from vitrine_export.evaluate.measured import Measured
from vitrine_export.evaluate.page import Entry, Kind, Page, save_page, write_page
from vitrine_export.evaluate.page.compose import Evidence, chapter_of, people_of
from vitrine_export.evaluate.page.compose.chapter import ABLATION
from vitrine_export.evaluate.report import PIPELINE, Report
from vitrine_export.evaluate.serving import window_queries
from vitrine_export.evaluate.temporal import TemporalSplit
from vitrine_export.train import TrainReport


def write_report(
    report: Report, evidence: Sequence[Evidence], trained: TrainReport | None, out: Path
) -> None:
    """Writes ``metrics.json``, ``report.md``, ``report.html`` and, for `page.joined`, ``report.json``.

    Args:
        report: The tables.
        evidence: What stands behind them.
        trained: What training reported, where that was part of it.
        out: The folder.
    """
    report.write(out)
    command = " ".join(["vitrine", *sys.argv[1:]])
    chapter = chapter_of(report, evidence, trained=trained, command=command)
    page = Page(
        f"{report.data}, {report.protocol}", [chapter], report.machine, f"{datetime.now(UTC):%Y-%m-%d}"
    )
    write_page(out / "report.html", page)
    save_page(out / "report.json", page)


def evidence_of_groups(
    found: Sequence[tuple[Group, GroupMeasured]],
    shop: OfflineShop,
    split: TemporalSplit,
    items: pl.DataFrame | None,
    k: int,
    seed: int,
    view: Classification | None,
) -> list[Evidence]:
    """What stands behind the tables of the temporal protocol.

    Args:
        found: The groups, and what was measured of each.
        shop: Who answered.
        split: The split.
        items: The item table.
        k: Length of the lists.
        seed: Decides whom the page shows.
        view: The classification view of the first group.
    """
    codes = split.codes
    background = Background.of(split.past, text_vectors(items, codes), split.sold)
    taken = np.bincount(split.past.item, minlength=len(codes))
    evidence = []
    for number, (group, measured) in enumerate(found):
        queries, history = group.queries, group.queries.taken
        asked = window_queries(queries, codes, group.scene, k)
        variant = shop.variant(group.config)
        people = people_of(variant, asked, queries.targets, codes, measured.lists, seed=seed)
        own = measured.methods.items()
        evidence.append(
            Evidence(
                group.key,
                queries,
                measured.methods,
                (f"recall@{k}", f"ndcg@{k}"),
                taken,
                parts=measured.table.rankers,
                people=people,
                lists={name: describe(lists, history, background, k) for name, lists in own},
                classification={PIPELINE: view} if view is not None and not number else {},
            )
        )
    return evidence


def evidence_of(found: Measured, k: int) -> list[Evidence]:
    """What stands behind the tables of a task; lists as a whole are described at k."""
    log = found.task.log(found.codes)
    taken = np.bincount(log.item, minlength=len(found.codes))
    history = found.queries.taken
    described = (
        {name: describe(lists, history, found.background, k) for name, lists in found.methods.items()}
        if found.background
        else {}
    )
    figures = found.published.figures if found.published else ()
    evidence = [
        Evidence(
            found.task.key,
            found.queries,
            found.methods,
            found.task.headline_measures,
            taken,
            parts=found.rankers,
            users=found.users,
            people=found.people,
            lists=described,
            classification={PIPELINE: found.view} if found.view else {},
            published=[Entry(f.method, f.values, Kind.PUBLISHED, citation=f.cite) for f in figures],
        )
    ]
    if found.without is not None:
        some, methods = found.without
        evidence.append(
            Evidence(f"{found.task.key}{ABLATION}", some, methods, found.task.headline_measures, taken)
        )
    return evidence
