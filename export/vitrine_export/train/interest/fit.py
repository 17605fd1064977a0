"""Fits the interest model and hands it over as a bundle takes it."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vitrine.bundle import ModelFile
from vitrine.content.model import Vectors
from vitrine.interest.inputs import encoder_inputs
from vitrine.progress import Progress, part_of, quiet
from vitrine_export.neural import Curve, export_onnx
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.interest.examples import Examples
from vitrine_export.train.interest.settings import InterestSettings
from vitrine_export.train.interest.training import train_interest

_GOLDEN = 16


@dataclass(frozen=True, slots=True)
class FittedInterest:
    """An interest model as a bundle takes it.

    Attributes:
        vectors: ``float32[n, d]``, item vectors.
        projection: ``float32[dc, d]``, content vector times this is the vector of a newer item; ``None`` without content.
        model: The encoder in ONNX, verified, with golden inputs and outputs.
        length: L, how many events the encoder takes at most.
        curve: How training went.
        metric: NDCG@20 on the visits that were held out; ``None`` when none were.
        epochs: How many epochs gave the best metric: what to fit with when nothing is held out.
        examples: Whole visits that it learned from.
    """

    vectors: Vectors
    projection: Vectors | None
    model: ModelFile
    length: int
    curve: Curve
    metric: float | None
    epochs: int
    examples: int


def fit_interest(
    interactions: Interactions,
    content: Vectors | None,
    settings: InterestSettings,
    seed: int,
    *,
    hold_out: bool = True,
    again: bool = False,
    progress: Progress = quiet,
    checkpoint: Path | None = None,
) -> FittedInterest | None:
    """Trains the model, exports it, and verifies the export; arguments and errors as for `train_interest`.

    With ``again``, what was held out is learned from, too: the model is trained a second time, on everything, in as
    many epochs as were best; curve and metric are those of the first time.

    Returns:
        The model; ``None`` when there is too little that follows from something.

    Raises:
        ExportError: ONNX Runtime answers otherwise than PyTorch.
    """
    trained = train_interest(
        interactions,
        content,
        settings,
        seed,
        hold_out=hold_out,
        progress=part_of(progress, 0.0, 0.55 if hold_out and again else 0.95),
        checkpoint=checkpoint,
    )
    if trained is None:
        return None
    curve = trained.curve
    if hold_out and again and curve.best_metric is not None:
        whole = train_interest(
            interactions,
            content,
            replace(settings, epochs=curve.best),
            seed,
            hold_out=False,
            progress=part_of(progress, 0.55, 0.95),
            checkpoint=None if checkpoint is None else checkpoint / "whole",
        )
        trained = whole or trained
    progress("interest: export to ONNX", 0.95)
    sample = _sample(trained.examples, settings, seed)
    shoppers, _ = trained.timeline.shoppers(sample, np.random.default_rng(seed))
    model = export_onnx(
        "interest",
        trained.network.encoder,
        encoder_inputs(shoppers, trained.vectors, settings.length),
        ("short", "long", "interest"),
        tolerance=settings.tolerance,
        dynamic={"recent": 1, "types": 1, "ages": 1},
    )
    progress("interest: done", 1.0)
    return FittedInterest(
        trained.vectors,
        trained.projection,
        model,
        settings.length,
        curve,
        curve.best_metric,
        curve.best,
        len(trained.examples),
    )


def _sample(examples: Examples, settings: InterestSettings, seed: int) -> Examples:
    """Examples of short and long histories alike, the longest last."""
    rng = np.random.default_rng(seed)
    some = examples.take(rng.permutation(len(examples))[: 64 * _GOLDEN])
    order = np.argsort(np.minimum(some.cut - some.begin, settings.length), kind="stable")
    return some.take(order[np.linspace(0, len(order) - 1, min(_GOLDEN, len(order))).astype(np.int64)])
