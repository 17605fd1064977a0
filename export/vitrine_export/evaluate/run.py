"""Runs the temporal protocol."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vitrine.app.offline import OfflineShop
from vitrine.bundle import Bundle, load_bundle
from vitrine.config import Config, load_config
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.evaluate.baselines import Baseline, BuyAgain, ItemKnn, Popularity
from vitrine_export.evaluate.groups import CART, HOME, groups_of, measure_group
from vitrine_export.evaluate.new_items import new_items_table
from vitrine_export.evaluate.predictions import predictions, truth, write_table
from vitrine_export.evaluate.report import Report
from vitrine_export.evaluate.serving import check_scenes
from vitrine_export.evaluate.temporal import split_by_time

if TYPE_CHECKING:
    from vitrine_export.train import Parameters

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
    catalogue and models hold nothing of the test window. Nothing is tuned here.

    Args:
        dataset: With times.
        start: First moment of the test window, Unix seconds.
        end: First moment after it.
        bundle: Models to measure, which must not have seen the window; trained here when not given.
        out: Folder for ``metrics.json``, ``report.md``, ``targets.parquet`` and, if trained here, ``bundle``.
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
    report = Report("temporal", dataset.manifest.name, start, end, k, seed, config=settings.fingerprint)
    with ExitStack() as closing:
        with _timed(report, "split"):
            split = split_by_time(dataset, start, end, seed)
        if bundle is None:
            bundle = (out or Path(closing.enter_context(tempfile.TemporaryDirectory()))) / "bundle"
            with _timed(report, "training"):
                _train(dataset, bundle, start, seed, settings, parameters, part_of(progress, 0.0, 0.5))
        models = load_bundle(bundle, settings.inference)
        refuse_leak(models, start, bundle)
        report.bundle = models.version
        with _timed(report, "filling the shop"):
            share = part_of(progress, 0.5, 0.55)
            shop = OfflineShop.open(dataset, settings, models, until=start, progress=share)
        closing.callback(shop.close)
        with _timed(report, "baselines"):
            popular = Popularity(split.past, start)
            baselines: list[Baseline] = [popular, BuyAgain(popular), ItemKnn(split.past)]

        lists, truths = [], []
        groups = groups_of(split, settings)
        with _timed(report, "measuring"):
            for step, group in enumerate(groups):
                share = part_of(
                    progress, 0.55 + 0.4 * step / len(groups), 0.55 + 0.4 * (step + 1) / len(groups)
                )
                measured = measure_group(
                    group, baselines, shop, split.codes, k, seed, share, ablation=ablation
                )
                report.tables.append(measured.table)
                if group.key in _PREDICTED:
                    queries = group.queries
                    report.milliseconds = report.milliseconds or 1000 * measured.seconds / len(queries)
                    lists.append(predictions(queries.users, measured.lists, split.codes))
                    truths.append(truth(queries.users, group.key, "target", queries.targets, split.codes))
                    truths.append(truth(queries.users, group.key, "context", queries.contexts, split.codes))
            unsold = new_items_table(dataset, settings, models, split, k, part_of(progress, 0.95, 1.0))
            report.tables += [unsold] if unsold else []
    report.counts = {
        "target events before": len(split.past.item),
        "known customers": len(split.known),
        "new customers": split.new_customers,
        "items sold before": int(split.sold.sum()),
    }
    if predictions_file is not None:
        write_table(predictions_file, lists, "predictions")
    if out is not None:
        write_table(out / "targets.parquet", truths, "out")
        report.write(out)
    progress("done", 1.0)
    return report


def _train(
    dataset: Dataset,
    bundle: Path,
    start: float,
    seed: int,
    config: Config,
    parameters: "Parameters | None",
    progress: Progress,
) -> None:
    from vitrine_export.train import Parameters, train

    train(
        dataset,
        bundle,
        until=datetime.fromtimestamp(start, UTC),
        parameters=parameters or Parameters(),
        seed=seed,
        config=config,
        progress=progress,
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


@contextmanager
def _timed(report: Report, step: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    report.seconds[step] = time.monotonic() - begun
