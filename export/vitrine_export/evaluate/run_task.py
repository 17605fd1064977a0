"""Runs a protocol of data without times."""

import resource
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitrine.app.offline import OfflineShop
from vitrine.bundle import Bundle, load_bundle
from vitrine.config import Config
from vitrine.domain.answer import Degradation
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.evaluate.baselines import fit_baselines
from vitrine_export.evaluate.beyond import Background, text_vectors
from vitrine_export.evaluate.groups import baseline_lists
from vitrine_export.evaluate.log import Log
from vitrine_export.evaluate.measured import Measured
from vitrine_export.evaluate.page.compose import people_of
from vitrine_export.evaluate.published import published
from vitrine_export.evaluate.report import PIPELINE, Report, Row, timed
from vitrine_export.evaluate.serving import Windows, served, served_parts, window_queries
from vitrine_export.evaluate.task_tables import HOME, ablated_lists, ablation_table, table_of, tables_apart
from vitrine_export.evaluate.tasks import Task
from vitrine_export.evaluate.view import classification, table_of_view, threshold_of
from vitrine_export.kinds.fitted import fitted
from vitrine_export.train import Parameters, train
from vitrine_export.train.run import fingerprint

# Cut-offs that papers report, beside the one that was asked for.
_CUTS = (5, 10, 20)


@dataclass(frozen=True, slots=True)
class TaskRun:
    """How a task is measured.

    Attributes:
        report: Takes the tables, counts and times.
        out: Folder for the bundle.
        work: Folder for what goes afterwards.
        parameters: Settings of training.
        config: The server's configuration.
        k: Length of the lists.
        seed: Decides everything random.
        ablation: Whether to ask the pipeline without each of its parts, too.
    """

    report: Report
    out: Path
    work: Path
    parameters: Parameters
    config: Config
    k: int
    seed: int
    ablation: bool = True

    def measure(self, task: Task, bundle: Path | None = None, progress: Progress = quiet) -> Measured:
        """Trains, asks, measures, and adds the tables to the report.

        Args:
            task: The protocol on its data.
            bundle: Models to measure, of the same data; trained here when not given.
            progress: Told how far it is.

        Raises:
            InvalidInput: The models are of other data.
        """
        codes, seed = task.codes(self.seed), self.seed
        users = np.unique(task.owners, return_inverse=True)[1]
        found = Measured(task, codes, task.queries(codes), users)
        log = task.log(codes)
        threshold: float | None = None
        given = bundle is not None
        if bundle is None:
            bundle, threshold = self._trained(found, part_of(progress, 0.0, 0.5))
        self._baselines(found, log, part_of(progress, 0.5, 0.6))
        with timed(self.report, f"filling the shop ({task.key})"):
            models = load_bundle(bundle, self.config.inference)
            if given:
                _refuse_other(models, task)
            self.report.bundle = self.report.bundle or models.version
            config, gone = fitted(self.config, HOME, models.manifest.off)
            self.report.left_out |= {f"{task.key}: {part}": why for part, why in gone.items()}
            subjects = {query.subject for query in task.exam.queries}
            share = part_of(progress, 0.6, 0.65)
            shop = OfflineShop.open(
                task.exam.shop,
                config,
                models,
                subjects=subjects,
                popular=task.exam.learn,
                progress=share,
            )
        try:
            self._ask(found, shop, threshold, part_of(progress, 0.65, 1.0))
            found.people = people_of(
                shop,
                window_queries(found.queries, codes, HOME, self.k),
                found.queries.targets,
                codes,
                found.methods[PIPELINE],
                seed=seed,
                dated=task.exam.shop.has.times,
            )
        finally:
            shop.close()
        found.background = Background.of(log, text_vectors(task.exam.learn.items(), codes))
        hidden = len(found.queries) if task.protocol == "leave-one-out" else 0
        found.published = published(task.protocol, len(log.users), len(codes), len(log.item) + hidden)
        if found.published is not None:
            figures = found.published.figures
            found.table.published += [Row(figure.method, dict(figure.values)) for figure in figures]
        self.report.counts |= {
            f"users ({task.key})": len(log.users),
            f"items ({task.key})": len(codes),
            f"events ({task.key})": len(log.item),
            f"questions ({task.key})": len(found.queries),
            "MiB at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        return found

    def _trained(self, found: Measured, progress: Progress) -> tuple[Path, float | None]:
        """A bundle, and from which place on an item counts as one that is taken."""
        task, held_out = found.task, self.work / f"held-out-{found.task.key}"
        bundle = self.out / ("bundle" if not self.report.tables else f"bundle-{task.key}")
        with timed(self.report, f"training ({task.key})"):
            found.trained = train(
                task.exam.learn,
                bundle,
                parameters=self.parameters,
                seed=self.seed,
                config=self.config,
                keep_held_out=held_out,
                progress=part_of(progress, 0.0, 0.9),
            )
        tuned = found.trained.rankers.tuned
        self.report.apart(f"training ({task.key})", f"tuning ({task.key})", tuned)
        if not held_out.exists():
            return bundle, None
        with timed(self.report, f"threshold ({task.key})"):
            return bundle, threshold_of(
                task.exam.learn,
                held_out,
                self.parameters,
                self.config,
                self.work / f"threshold-{task.key}",
                scene=HOME,
                masked=task.masked,
                seed=self.seed,
                progress=part_of(progress, 0.9, 1.0),
            )

    def _baselines(self, found: Measured, log: Log, progress: Progress) -> None:
        task, queries = found.task, found.queries
        ordered = task.exam.learn.has.ordered
        with timed(self.report, f"baselines ({task.key})"):
            for one in fit_baselines(
                log, 0.0, times=False, order=ordered, repeats=not task.masked, seed=self.seed
            ):
                progress(f"baseline '{one.name}'", 0.5)
                forbidden = queries.taken if task.masked else None
                found.methods[one.name] = baseline_lists(one, queries, found.codes, self.k, forbidden)

    def _ask(self, found: Measured, shop: OfflineShop, threshold: float | None, progress: Progress) -> None:
        """The windows of the pipeline, of each of its parts, and without each of them."""
        task, report = found.task, self.report
        windows = Windows(found.queries, found.codes, HOME, self.k)
        degraded: Counter[Degradation] = Counter()
        begun, busy = time.monotonic(), time.process_time()
        share = part_of(progress, 0.0, 0.5)
        parts = served_parts(shop, windows, share, degraded=degraded)
        spent, busy = time.monotonic() - begun, time.process_time() - busy
        report.seconds[f"windows ({task.key})"] = spent
        report.milliseconds = report.milliseconds or 1000 * spent / len(found.queries)
        report.counts[f"µs of CPU a window ({task.key})"] = int(1e6 * busy / len(found.queries))
        report.missing |= {
            f"{task.key}: {what.component}: {what.message}": count for what, count in degraded.most_common()
        }
        if self.config.scenes[HOME].diversity:
            # What is taken for being different depends on how long the list is.
            parts[PIPELINE] = served(shop, windows)
        # The reranker's scores are what the pipeline goes by: it is no method of its own.
        parts.pop(self.config.scenes[HOME].reranker, None)
        found.rankers = tuple(n for n in parts if n != PIPELINE and not n.startswith("source:"))
        found.methods |= parts
        cuts = sorted({*(c for c in _CUTS if c <= self.k), self.k})
        found.table = table_of(found, cuts=cuts, seed=self.seed)
        report.tables += [found.table, *tables_apart(found, cuts=cuts, seed=self.seed)]
        if threshold is not None:
            with timed(report, f"classification ({task.key})"):
                found.view, asked = classification(
                    shop,
                    found.queries,
                    found.codes,
                    threshold,
                    scene=HOME,
                    masked=task.masked,
                    seed=self.seed,
                    users=found.users,
                    progress=part_of(progress, 0.5, 0.6),
                )
            report.tables.append(table_of_view(task.key, task.title, found.view, asked))
        if self.ablation:
            with timed(report, f"ablation ({task.key})"):
                found.without = ablated_lists(found, shop, self.seed, part_of(progress, 0.6, 1.0))
            report.tables.append(ablation_table(task, *found.without))


def _refuse_other(bundle: Bundle, task: Task) -> None:
    """Refuses models of other data: they say nothing of these items, or have seen the answers.

    Raises:
        InvalidInput: They were trained on something else than what this task lets anybody learn from.
    """
    if bundle.manifest.dataset.fingerprint != fingerprint(task.exam.learn):
        raise InvalidInput(
            "bundle",
            f"{bundle.path} was not trained on what may be learned from here, so it may have seen the answers; give one that "
            "the same command made in its --out, or leave --bundle out",
        )
