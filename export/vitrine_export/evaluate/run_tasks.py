"""Runs the protocols that read plain files: training, bundle, serving code, tables."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from vitrine.config import Config
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.evaluate.measured import Measured
from vitrine_export.evaluate.predictions import check_table, predictions, truth, write_table
from vitrine_export.evaluate.report import PIPELINE, Report
from vitrine_export.evaluate.run_task import TaskRun
from vitrine_export.evaluate.serving import check_scenes
from vitrine_export.evaluate.task_tables import HOME
from vitrine_export.evaluate.tasks import Task
from vitrine_export.evaluate.writing import evidence_of, write_report
from vitrine_export.train import Parameters


def evaluate_tasks(
    make: Callable[[Path], Sequence[Task]],
    *,
    parameters: Parameters,
    config: Config,
    out: Path | None = None,
    predictions_file: Path | None = None,
    bundle: Path | None = None,
    k: int = 20,
    seed: int = 0,
    ablation: bool = True,
    progress: Progress = quiet,
) -> Report:
    """Measures one or more tasks on the same questions, the first of which is the one whose lists are written.

    Args:
        make: Makes the tasks, given a folder for data sets.
        parameters: Settings of training.
        config: The server's configuration.
        out: Folder for ``metrics.json``, ``report.md``, ``targets.parquet`` and bundles.
        predictions_file: Where the lists of the pipeline go (`predictions`).
        bundle: Models to measure, which must not have seen the answers; only the first task is measured then.
        k: Length of the lists.
        seed: Decides everything random.
        ablation: Whether to measure the pipeline without each of its parts, too.
        progress: Told how far it is.

    Raises:
        InvalidInput: A file cannot be read or written.
        BundleError: The bundle cannot be used.
    """
    settings = config.model_copy(update={"seed": seed})
    check_scenes(settings, [HOME])
    check_table(predictions_file, "predictions")
    with ExitStack() as closing:
        work = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="vitrine-evaluate-")))
        progress("reading files", 0.0)
        tasks = list(make(work / "data"))[: 1 if bundle else None]
        first = tasks[0]
        report = Report(
            first.protocol,
            first.exam.learn.manifest.name,
            0.0,
            0.0,
            k,
            seed,
            sentence=first.sentence,
            config=settings.fingerprint,
        )
        run = TaskRun(report, out or work, work, parameters, settings, k, seed, ablation)
        found: list[Measured] = []
        for number, task in enumerate(tasks):
            share = part_of(progress, number / len(tasks), (number + 1) / len(tasks))
            found.append(run.measure(task, bundle, share))
        first, codes = found[0].task, found[0].codes
        if predictions_file is not None:
            lists = predictions(first.labels, found[0].methods[PIPELINE], codes)
            write_table(predictions_file, [lists], "predictions")
        if out is not None:
            answers = truth(first.labels, first.key, "target", found[0].queries.targets, codes)
            write_table(out / "targets.parquet", [answers], "out")
            evidence = [one for measured in found for one in evidence_of(measured, k)]
            write_report(report, evidence, found[0].trained, out)
    progress("done", 1.0)
    return report
