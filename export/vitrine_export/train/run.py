"""Trains everything that the data allows and writes the bundle."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from vitrine.bundle import ContentModel, DatasetRef, ItemItem, Manifest, TrainingWindow, write_bundle
from vitrine.bundle.writer import check_target
from vitrine.content.model import TextEncoder
from vitrine.content.text import text_hashes
from vitrine.dataset import EVENTS, ITEMS, MANIFEST, Dataset
from vitrine.domain.ids import tie_keys
from vitrine.domain.items import Item
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, quiet
from vitrine_export.train.co_visitation import fit_co_visitation
from vitrine_export.train.content import content_vectors, fit_encoder, text_items
from vitrine_export.train.interactions import Interactions, item_table, read_interactions
from vitrine_export.train.linear import DEFAULT_RIDGE, fit_linear, is_ease
from vitrine_export.train.parameters import DEFAULTS, Parameters
from vitrine_export.train.stages import Stages
from vitrine_export.train.tune import measure
from vitrine_export.train.validate import hold_out

# Up to so many items one thread for linear algebra is enough. It does not suffer from a busy machine as several
# do that wait for each other, and its results do not depend on the number of cores.
_ONE_THREAD_ITEMS = 6000


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
    """

    out: Path
    manifest: Manifest
    seconds: float
    neighbours: dict[str, int] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    dimensions: int = 0
    held_out: str = ""


def train(
    dataset: Dataset,
    out: Path,
    *,
    until: datetime | None = None,
    parameters: Parameters = DEFAULTS,
    seed: int = 0,
    encoder: Path | None = None,
    progress: Progress = quiet,
) -> TrainReport:
    """Trains on a data set and writes a bundle. The same data, settings and seed give the same version.

    Args:
        dataset: The data set.
        out: Folder of the bundle; a bundle that is there is replaced.
        until: Leave out what happened from this moment on (UTC when it has no zone).
        parameters: Settings.
        seed: Decides everything random.
        encoder: An ONNX sentence encoder with ``tokenizer.json`` beside it, instead of hashed words.
        progress: Told how far it is.

    Raises:
        InvalidInput: There is nothing to train on, or the encoder cannot be used.
        BundleError: ``out`` is something else than a bundle.
    """
    clock = Stages(progress)
    check_target(out)
    moment = None if until is None else until if until.tzinfo else until.replace(tzinfo=UTC)
    if moment is not None and not dataset.has.times:
        raise InvalidInput("until", "the data set has no times, so nothing can be cut off; leave it out")
    sentence = _sentence_encoder(encoder)

    clock.enter("reading events", 0.0)
    table = item_table(dataset, moment)
    # By hash: neither the order of identifiers nor of appearance decides anything.
    order = np.argsort(tie_keys(table["item_id"].to_list(), seed), kind="stable")
    table = table[order]
    item_ids = table["item_id"].to_list()
    interactions = read_interactions(dataset, item_ids, moment)
    if not item_ids or (not len(interactions) and not dataset.has.items):
        raise InvalidInput(
            "until" if moment else "data",
            f"{dataset.path} has no events on items"
            + (f" before {moment:%Y-%m-%d}" if moment else "")
            + "; nothing to train on",
        )

    off: dict[str, str] = {}
    metrics: dict[str, float] = {}
    with threadpool_limits(1 if len(item_ids) <= _ONE_THREAD_ITEMS else None):
        ridge = DEFAULT_RIDGE if parameters.ridge is None else parameters.ridge
        holdout = None
        if parameters.validate:
            clock.enter("validating", 0.1)
            holdout = hold_out(interactions, parameters, seed)
            if holdout is None:
                off["validation"] = "no shopper turned to anything new at the end of the window"
            else:
                ridge = measure(holdout, parameters, seed, ridge, metrics, clock)
        clock.enter("co-visitation", 0.45)
        co_visitation = fit_co_visitation(interactions, parameters, clock.within(0.45, 0.6))
        clock.enter("linear model", 0.6)
        linear = fit_linear(interactions, parameters, seed, ridge, clock.within(0.6, 0.8))
        if co_visitation is None or linear is None:
            reason = "no shopper was interested in two items"
            off |= {p: reason for p, m in (("co_visitation", co_visitation), ("linear", linear)) if m is None}
        clock.enter("content vectors", 0.8)
        items = text_items(table)
        content = _content(dataset, items, parameters, seed, sentence, off, clock)

    clock.enter("writing", 0.95)
    manifest = write_bundle(
        out,
        item_ids=item_ids,
        text_hashes=text_hashes(items),
        co_visitation=co_visitation,
        linear=linear,
        content=content,
        name=dataset.manifest.name,
        window=_window(interactions, moment),
        dataset=DatasetRef(dataset.manifest.name, fingerprint(dataset)),
        off=off,
        metrics=metrics,
        parameters={
            **asdict(replace(parameters, ridge=ridge)),
            "seed": seed,
            "linear_method": "ease" if is_ease(interactions, parameters) else "factors",
            "encoder": encoder.name if encoder else None,
        },
    )
    seconds = clock.finish()
    models: dict[str, ItemItem | None] = {"co_visitation": co_visitation, "linear": linear}
    sizes = {part: len(model.indices) for part, model in models.items() if model is not None}
    return TrainReport(
        out=out,
        manifest=manifest,
        seconds=seconds,
        neighbours=sizes,
        stages=clock.seconds,
        dimensions=0 if content is None else content.dimensions,
        held_out="" if holdout is None else holdout.label,
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


def _content(
    dataset: Dataset,
    items: Sequence[Item],
    parameters: Parameters,
    seed: int,
    sentence: TextEncoder | None,
    off: dict[str, str],
    clock: Stages,
) -> ContentModel | None:
    has = dataset.has
    if not (has.text or has.categories or has.brands):
        off["content"] = "no item has a text, a category or a brand"
        return None
    encoder = sentence or fit_encoder(items, parameters, seed)
    if encoder is None:
        off["content"] = "no two items share a word"
        return None
    return content_vectors(items, encoder, clock.within(0.85, 0.95))


def _sentence_encoder(path: Path | None) -> TextEncoder | None:
    if path is None:
        return None
    from vitrine.content.sentence import SentenceEncoder

    return SentenceEncoder.open(path)


def _window(interactions: Interactions, until: datetime | None) -> TrainingWindow:
    times = interactions.times if len(interactions) else None
    return TrainingWindow(
        first=None if times is None else datetime.fromtimestamp(float(times.min()), UTC),
        last=None if times is None else datetime.fromtimestamp(float(times.max()), UTC),
        until=until,
        events=len(interactions),
        subjects=interactions.subject_count,
    )
