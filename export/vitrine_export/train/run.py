"""Trains everything that the data allows and writes the bundle."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from vitrine import __version__
from vitrine.bundle import DatasetRef, ItemItem, Manifest
from vitrine.bundle.extended import extend_bundle
from vitrine.bundle.manifest import Parameter
from vitrine.bundle.publish import check_target
from vitrine.config import Config, load_config
from vitrine.content.model import TextEncoder
from vitrine.dataset import EVENTS, ITEMS, MANIFEST, Dataset
from vitrine.errors import InvalidInput
from vitrine.hosting import Plugin, discover
from vitrine.progress import Progress, quiet
from vitrine_export.train.base import ONE_THREAD_ITEMS, BaseModels, History, fit_base, read_history
from vitrine_export.train.contributed import refuse_unknown
from vitrine_export.train.linear import DEFAULT_RIDGE, is_ease
from vitrine_export.train.parameters import DEFAULTS, Parameters
from vitrine_export.train.rankers import FittedRankers, RankerInputs, fit_rankers
from vitrine_export.train.stages import Stages
from vitrine_export.train.tune import measure
from vitrine_export.train.validate import Holdout, hold_out
from vitrine_export.train.work import refuse_inside, work_folder

if TYPE_CHECKING:
    from vitrine_export.train.interest import InterestSettings


@dataclass(slots=True)
class TrainReport:
    """What was trained.

    Attributes:
        out: The bundle.
        manifest: Its manifest.
        seconds: How long it took.
        neighbours: Entries of each item-item model, by part.
        stages: Seconds by stage.
        dimensions: Length of a content vector; 0 when content is off.
        held_out: What validation was measured on.
        base: The base models.
        rankers: What was fitted on lists.
    """

    out: Path
    manifest: Manifest
    seconds: float
    neighbours: dict[str, int] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    dimensions: int = 0
    held_out: str = ""
    base: BaseModels | None = None
    rankers: FittedRankers = field(default_factory=FittedRankers)


def train(
    dataset: Dataset,
    out: Path,
    *,
    until: datetime | None = None,
    parameters: Parameters = DEFAULTS,
    seed: int = 0,
    encoder: Path | None = None,
    config: Config | None = None,
    plugins: Sequence[Plugin] | None = None,
    resume: Path | None = None,
    keep_held_out: Path | None = None,
    progress: Progress = quiet,
) -> TrainReport:
    """Trains on a data set and writes a bundle. The same data, settings and seed give the same models.

    Args:
        dataset: The data set.
        out: Folder of the bundle; a bundle that is there is replaced.
        until: Leave out what happened from this moment on (UTC when it has no zone).
        parameters: Settings.
        seed: Decides everything random.
        encoder: An ONNX sentence encoder with ``tokenizer.json`` beside it, instead of hashed words.
        config: The configuration of the server that the rerankers are for: its scenes make the lists to learn from.
        plugins: The plugins that were found; looked for unless told.
        resume: Folder that keeps finished steps, to go on from when the training was cut off.
        keep_held_out: Where a second bundle goes, if anywhere: the rankers with base models that know nothing of what
            was held out last (the last of `vitrine_export.train.rankers.held_out`), to choose on what no base model has seen.
        progress: Told how far it is.

    Raises:
        InvalidInput: There is nothing to train on, the encoder cannot be used, or ``resume`` is something else.
        ConfigError: A GPU was demanded and there is none, or columns of a plugin that is not installed.
        BundleError: ``out`` is something else than a bundle.
    """
    clock = Stages(progress)
    check_target(out)
    refuse_inside(out, resume)
    moment = None if until is None else until if until.tzinfo else until.replace(tzinfo=UTC)
    if moment is not None and not dataset.has.times:
        raise InvalidInput("until", "the data set has no times, so nothing can be cut off; leave it out")
    sentence = _sentence_encoder(encoder)
    settings = config or load_config()
    found = discover(apart=settings.runs_apart) if plugins is None else plugins
    if parameters.rerank:
        refuse_unknown(settings, found)

    clock.enter("reading events", 0.0)
    history = read_history(dataset, moment, seed)
    _refuse_nothing(dataset, history, moment)
    metrics: dict[str, float] = {}
    off: dict[str, str] = {}
    ridge, holdout = _ridge(history, parameters, seed, metrics, off, clock)
    interest = _interest_settings(parameters, settings)
    about: dict[str, object] = {
        "data": fingerprint(dataset),
        "until": moment.isoformat() if moment else "",
        "parameters": asdict(replace(parameters, ridge=ridge)),
        "seed": seed,
        "encoder": _hash_of(sentence),
        "config": settings.fingerprint,
        "features": {p.name: p.distribution for p in found if p.name in settings.features},
        "vitrine": __version__,
    }
    with work_folder(resume, about) as folder:
        clock.enter("rankers", 0.15)
        rankers = FittedRankers(off=dict.fromkeys(("deep", "lightgbm"), "rerankers were not asked for"))
        if parameters.rerank:
            inputs = RankerInputs(
                dataset, history, parameters, settings, seed, ridge, sentence, interest, folder, found
            )
            rankers = fit_rankers(inputs, clock.part(0.15, 0.75))
        if interest is not None and rankers.interest_epochs:
            interest = replace(interest, epochs=rankers.interest_epochs)
        if keep_held_out is not None and rankers.lists:
            windows = sorted(folder.glob("window-*"), key=lambda path: int(path.name.partition("-")[2]))
            extend_bundle(windows[-1], keep_held_out, rankers.models)
        clock.enter("base models", 0.75)
        base = fit_base(
            dataset,
            history,
            parameters,
            seed,
            ridge=ridge,
            encoder=sentence,
            interest=interest,
            hold_out=not rankers.interest_epochs,
            again=True,
            progress=clock.part(0.75, 0.95),
            checkpoint=folder / "interest",
        )
        clock.enter("writing", 0.95)
        metrics |= rankers.metrics
        if base.interest is not None and base.interest.metric is not None:
            metrics["ndcg@20_interest"] = base.interest.metric
        manifest = base.write(
            out,
            rankers.models,
            name=dataset.manifest.name,
            dataset=DatasetRef(dataset.manifest.name, fingerprint(dataset)),
            off=off | rankers.off,
            metrics=metrics,
            texts=rankers.texts,
            parameters={
                **_flat(asdict(_used(parameters, ridge, rankers))),
                "seed": seed,
                "linear_method": "ease" if is_ease(history.interactions, parameters) else "factors",
                "encoder": encoder.name if encoder else None,
            },
        )
    seconds = clock.finish()
    models: dict[str, ItemItem | None] = {
        "co_visitation": base.co_visitation,
        "linear": base.linear,
        "follows": base.follows,
    }
    return TrainReport(
        out=out,
        manifest=manifest,
        seconds=seconds,
        neighbours={part: len(model.indices) for part, model in models.items() if model is not None},
        stages=clock.seconds,
        dimensions=0 if base.content is None else base.content.dimensions,
        held_out="" if holdout is None else holdout.label,
        base=base,
        rankers=rankers,
    )


def fingerprint(dataset: Dataset) -> str:
    """Sixteen hexadecimal digits that change with any file of the data set."""
    total = hashlib.sha256()
    for name in (MANIFEST, EVENTS, ITEMS):
        path = dataset.path / name
        if path.exists():
            with path.open("rb") as file:
                total.update(name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


def _refuse_nothing(dataset: Dataset, history: History, moment: datetime | None) -> None:
    if not history.table.height or (not len(history.interactions) and not dataset.has.items):
        raise InvalidInput(
            "until" if moment else "data",
            f"{dataset.path} has no events on items"
            + (f" before {moment:%Y-%m-%d}" if moment else "")
            + "; nothing to train on",
        )


def _ridge(
    history: History,
    parameters: Parameters,
    seed: int,
    metrics: dict[str, float],
    off: dict[str, str],
    clock: Stages,
) -> tuple[float, Holdout | None]:
    """The ridge that does best on the end of the window, with what was measured there."""
    ridge = DEFAULT_RIDGE if parameters.ridge is None else parameters.ridge
    if not parameters.validate:
        return ridge, None
    clock.enter("validating", 0.05)
    holdout = hold_out(history.interactions, parameters, seed)
    if holdout is None:
        off["validation"] = "no shopper turned to anything new at the end of the window"
        return ridge, None
    with threadpool_limits(1 if history.table.height <= ONE_THREAD_ITEMS else None):
        return measure(holdout, parameters, seed, ridge, metrics, clock), holdout


def _interest_settings(parameters: Parameters, config: Config) -> "InterestSettings | None":
    if not parameters.neural:
        return None
    from vitrine_export.train.interest import InterestSettings

    minutes = parameters.interest_minutes
    return InterestSettings(
        device=parameters.device,
        epochs=parameters.interest_epochs,
        time_limit=None if minutes is None else 60 * minutes,
        session_gap_minutes=parameters.session_gap_minutes,
        long_half_life_days=config.profile.long_half_life_days,
        short_half_life_days=config.profile.short_half_life_days,
    )


def _used(parameters: Parameters, ridge: float, rankers: FittedRankers) -> Parameters:
    """The settings with what validation and tuning chose."""
    reranker = parameters.reranker if rankers.reranker is None else rankers.reranker.settings
    return replace(parameters, ridge=ridge, reranker=reranker)


def _flat(settings: dict[str, Any]) -> dict[str, Parameter]:
    """Settings of settings by names with a dot."""
    flat: dict[str, Parameter] = {}
    for name, value in settings.items():
        flat |= (
            {f"{name}.{inner}": v for inner, v in value.items()} if isinstance(value, dict) else {name: value}
        )
    return flat


def _hash_of(encoder: TextEncoder | None) -> str:
    """Changes with what an encoder is made of, whatever its file is called; empty for none."""
    if encoder is None:
        return ""
    total = hashlib.sha256()
    for name, data in encoder.files().items():
        raw = data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes()
        total.update(name.encode() + hashlib.sha256(raw).digest())
    return total.hexdigest()


def _sentence_encoder(path: Path | None) -> TextEncoder | None:
    if path is None:
        return None
    from vitrine.content.sentence import SentenceEncoder

    return SentenceEncoder.open(path)
