"""Runs the temporal protocol."""

import resource
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from vitrine.app.offline import OfflineShop
from vitrine.bundle import Bundle, load_bundle
from vitrine.config import Config, load_config
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.evaluate.baselines import fit_baselines
from vitrine_export.evaluate.groups import CART, HOME, Group, Measured, groups_of, measure_group
from vitrine_export.evaluate.lists import ItemCodes
from vitrine_export.evaluate.metrics import measure
from vitrine_export.evaluate.new_items import new_items_table
from vitrine_export.evaluate.predictions import (
    VALUES,
    check_table,
    per_query,
    predictions,
    truth,
    write_table,
)
from vitrine_export.evaluate.report import PIPELINE, Report, timed
from vitrine_export.evaluate.serving import check_scenes
from vitrine_export.evaluate.temporal import split_by_time
from vitrine_export.evaluate.view import classification, table_of_view, threshold_of
from vitrine_export.evaluate.writing import evidence_of_groups, write_report

if TYPE_CHECKING:
    from vitrine_export.train import Parameters, TrainReport

# Groups whose queries are whole answers; the others are views of these.
_PREDICTED = ("known", "new")


def evaluate_temporal(
    dataset: Dataset,
    *,
    start: float,
    end: float,
    bundle: Path | None = None,
    out: Path | None = None,
    predictions_file: Path | None = None,
    config: Config | None = None,
    k: int = 20,
    seed: int = 0,
    ablation: bool = True,
    parameters: "Parameters | None" = None,
    progress: Progress = quiet,
) -> Report:
    """Trains on what came before ``start``, asks for the windows of the customers of the test window, and measures.

    Every list is made at ``start``, by the code that serves, out of what was known then: profiles, popularity,
    catalogue and models hold nothing of the test window. What is tuned (``parameters.trials``) is tuned in training.

    Args:
        dataset: With times.
        start: First moment of the test window, Unix seconds.
        end: First moment after it.
        bundle: Models to measure, which must not have seen the window; trained here when not given.
        out: Folder for ``metrics.json``, ``report.md``, ``targets.parquet``, ``values.parquet`` (what the pipeline and
            the methods that it is compared with reached, query by query) and, if trained here, ``bundle``.
        predictions_file: Where the lists of the pipeline go (`predictions`).
        config: The server's configuration.
        k: Length of the lists.
        seed: Decides halves of baskets, equal scores and resamples.
        ablation: Whether to measure the pipeline without each of its parts, too.
        parameters: Settings of training, where it is done here.
        progress: Told how far it is.

    Raises:
        InvalidInput: The data set cannot be cut there, the bundle has seen the window, or a file cannot be written.
        BundleError: The bundle cannot be used.
    """
    settings = (config or load_config()).model_copy(update={"seed": seed})
    check_scenes(settings, [HOME, CART])
    check_table(predictions_file, "predictions")
    report = Report("temporal", dataset.manifest.name, start, end, k, seed, config=settings.fingerprint)
    with ExitStack() as closing:
        work = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="vitrine-evaluate-")))
        with timed(report, "split"):
            split = split_by_time(dataset, start, end, seed)
        if not len(split.known) and not len(split.new):
            raise InvalidInput(
                "to",
                "between --from and --to nobody who was known and no large enough first basket took anything",
            )
        trained, threshold = None, None
        if bundle is None:
            bundle = (out or work) / "bundle"
            share = part_of(progress, 0.0, 0.5)
            trained, threshold = _trained(dataset, bundle, work, parameters, settings, report, share)
        models = load_bundle(bundle, settings.inference)
        refuse_leak(models, start, bundle)
        report.bundle = models.version
        with timed(report, "filling the shop"):
            share = part_of(progress, 0.5, 0.55)
            shop = OfflineShop.open(dataset, settings, models, until=start, progress=share)
        closing.callback(shop.close)
        with timed(report, "baselines"):
            baselines = list(fit_baselines(split.past, start, times=True, order=True, seed=seed))

        found: list[tuple[Group, Measured]] = []
        groups = groups_of(split, settings)
        with timed(report, "measuring"):
            for step, group in enumerate(groups):
                share = part_of(
                    progress, 0.55 + 0.35 * step / len(groups), 0.55 + 0.35 * (step + 1) / len(groups)
                )
                measured = measure_group(
                    group, baselines, shop, split.codes, k, seed, share, ablation=ablation
                )
                report.tables.append(measured.table)
                report.milliseconds = report.milliseconds or 1000 * measured.seconds / len(group.queries)
                found.append((group, measured))
            unsold = new_items_table(dataset, settings, models, split, k, part_of(progress, 0.9, 0.95))
            report.tables += [unsold] if unsold else []
        view = None
        if threshold is not None and groups and groups[0].key == "known":
            with timed(report, "classification"):
                share = part_of(progress, 0.95, 1.0)
                known = groups[0].queries
                view, asked = classification(
                    shop,
                    known,
                    split.codes,
                    threshold,
                    scene=HOME,
                    masked=False,
                    seed=seed,
                    catalogue=split.sold,
                    progress=share,
                )
            report.tables.append(table_of_view("known", groups[0].title, view, asked))
        report.counts = {
            "target events before": len(split.past.item),
            "known customers": len(split.known),
            "new customers": split.new_customers,
            "items sold before": int(split.sold.sum()),
            "MiB at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        if predictions_file is not None:
            write_table(
                predictions_file,
                [predictions(g.queries.ids, m.lists, split.codes) for g, m in found if g.key in _PREDICTED],
                "predictions",
            )
        if out is not None:
            _write_queries(out, found, split.codes, k)
            evidence = evidence_of_groups(found, shop, split, dataset.items(), k, seed, view)
            write_report(report, evidence, trained, out)
    progress("done", 1.0)
    return report


def _truths(found: Sequence[tuple[Group, Measured]], codes: ItemCodes) -> list[pl.DataFrame]:
    rows = []
    for group, _ in found:
        if group.key in _PREDICTED:
            queries = group.queries
            rows.append(truth(queries.ids, group.key, "target", queries.targets, codes))
            rows.append(truth(queries.ids, group.key, "context", queries.contexts, codes))
    return rows


def _write_queries(out: Path, found: Sequence[tuple[Group, Measured]], codes: ItemCodes, k: int) -> None:
    """What each query asked for, and what was reached."""
    write_table(out / "targets.parquet", _truths(found, codes), "out")
    write_table(out / VALUES, [_values(group, measured, k) for group, measured in found], "out")


def _values(group: Group, measured: Measured, k: int) -> pl.DataFrame:
    """What the pipeline and the methods that it is compared with reached, query by query."""
    compared = dict.fromkeys((PIPELINE, *(one.against for one in measured.table.comparisons)))
    targets = group.queries.targets
    values = {name: measure(measured.methods[name], targets, [k], ("recall", "ndcg")) for name in compared}
    return per_query(group.queries.ids, group.key, values)


def _trained(
    dataset: Dataset,
    bundle: Path,
    work: Path,
    parameters: "Parameters | None",
    config: Config,
    report: Report,
    progress: Progress,
) -> tuple["TrainReport", float | None]:
    """Trains on what came before; from which place on an item counts as one that is taken, too."""
    from vitrine_export.train import Parameters, train

    until, settings, held_out = (
        datetime.fromtimestamp(report.start, UTC),
        parameters or Parameters(),
        work / "held",
    )
    with timed(report, "training"):
        trained = train(
            dataset,
            bundle,
            until=until,
            parameters=settings,
            seed=report.seed,
            config=config,
            keep_held_out=held_out,
            progress=part_of(progress, 0.0, 0.9),
        )
    report.apart("training", "tuning", trained.rankers.tuned)
    if not held_out.exists():
        return trained, None
    with timed(report, "threshold"):
        return trained, threshold_of(
            dataset,
            held_out,
            settings,
            config,
            work / "threshold",
            scene=HOME,
            masked=False,
            seed=report.seed,
            until=until,
            progress=part_of(progress, 0.9, 1.0),
        )


def refuse_leak(bundle: Bundle, start: float, path: Path) -> None:
    """Refuses models that have seen what they would be measured on.

    Raises:
        InvalidInput: They learned from events at or after ``start``, or nobody knows; says what to do.
    """
    window = bundle.manifest.window
    until, last = window.until, window.last
    if until is not None and until.timestamp() <= start:
        return
    if until is None and last is not None and last.timestamp() < start:
        return
    cut = datetime.fromtimestamp(start, UTC)
    raise InvalidInput(
        "bundle",
        f"{path} was trained on events up to {until or last or 'an unknown time'} and so has seen the test window; "
        f"make one with `vitrine train DATA --until {cut:%Y-%m-%dT%H:%M:%S} --out DIR`, or leave --bundle out",
    )
