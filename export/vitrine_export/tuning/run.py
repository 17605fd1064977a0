"""`vitrine tune`, without the terminal."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vitrine import __version__
from vitrine.config import Config, load_config
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine.hosting import Plugin, discover
from vitrine.progress import Progress, quiet
from vitrine_export.train.base import read_history
from vitrine_export.train.parameters import DEFAULTS, Parameters
from vitrine_export.train.run import fingerprint
from vitrine_export.tuning.journal import opened
from vitrine_export.tuning.report import TuneReport
from vitrine_export.tuning.steps import Steps, Told


def tune(
    dataset: Dataset,
    *,
    until: datetime | None = None,
    parameters: Parameters = DEFAULTS,
    config: Config | None = None,
    tables: Mapping[str, Any] | None = None,
    seed: int = 0,
    minutes: float | None = None,
    trials: int | None = None,
    resume: Path | None = None,
    plugins: Sequence[Plugin] | None = None,
    progress: Progress = quiet,
    told: Told = lambda *_: None,
) -> TuneReport:
    """Searches settings of the item-item models and of the reranker, and weights of scenes that have no reranker.

    Models are measured alone on the held-out end of the data; what orders lists, on lists that the serving code makes
    with models that have not seen their answers (`ranking_lists`). Networks are left out: they take minutes a fit.

    Args:
        dataset: The data set. What happens in a test window must not be in it, or lie after ``until``.
        until: Leave out what happened from this moment on (UTC when it has no zone).
        parameters: The settings of training to begin with.
        config: The configuration of the server to begin with.
        tables: The kind of data that both are of, for the file: ``training`` and ``serving``.
        seed: Decides everything random.
        minutes: About how long to search; making lists is part of it, but is never cut short.
        trials: At most so many trials a search, the first of which is the settings of now. With this and without
            ``minutes``, the same data, settings and seed find the same.
        resume: Folder that keeps the trials, to go on from.
        plugins: The plugins that were found; looked for unless told.
        progress: Told how far it is.
        told: Told each trial, and the best so far.

    Raises:
        InvalidInput: Nothing can be searched, or ``resume`` is something else.
        KeyboardInterrupt: It was stopped before any search had measured anything.
    """
    begun = time.monotonic()
    if minutes is None and trials is None:
        raise InvalidInput("minutes", "say how long to search, or give a number of trials")
    moment = None if until is None else until if until.tzinfo else until.replace(tzinfo=UTC)
    if moment is not None and not dataset.has.times:
        raise InvalidInput("until", "the data set has no times, so nothing can be cut off; leave it out")
    settings = config or load_config()
    found = discover(apart=settings.runs_apart) if plugins is None else plugins
    parameters = replace(parameters, neural=False, trials=0, tune_minutes=None)
    data = fingerprint(dataset)
    about: dict[str, object] = {
        "data": data,
        "until": moment.isoformat() if moment else "",
        "parameters": asdict(parameters),
        "seed": seed,
        "config": settings.fingerprint,
        "features": {p.name: p.distribution for p in found if p.name in settings.features},
        "vitrine": __version__,
    }
    report = TuneReport(
        tables=tables or {},
        about={
            "data": f"{dataset.manifest.name} ({data})" + (f", before {moment:%Y-%m-%d}" if moment else ""),
            "seed": str(seed),
            "vitrine": __version__,
        },
    )
    with opened(resume, about) as journal:
        report.lost = journal.lost
        progress("reading events", 0.0)
        history = read_history(dataset, moment, seed)
        if not len(history.interactions):
            raise InvalidInput("data", f"{dataset.path} has no events on items to learn from")
        Steps(
            dataset=dataset,
            history=history,
            config=settings,
            seed=seed,
            plugins=found,
            journal=journal,
            report=report,
            begun=begun,
            minutes=minutes,
            trials=trials,
            progress=progress,
            told=told,
        ).run(parameters)
    report.seconds = time.monotonic() - begun
    if not report.stages:
        why = "; ".join(f"{what}: {why}" for what, why in report.off.items())
        raise InvalidInput("data", f"nothing can be searched ({why}); tune on more data")
    progress("done", 1.0)
    return report
