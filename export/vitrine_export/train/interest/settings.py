"""Settings of the interest model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestSettings:
    """What decides the interest model and its training.

    Attributes:
        dimensions: Length d of item vectors and interests.
        width: Numbers by which an event is known inside the encoder.
        length: L, how many of a shopper's latest events the encoder reads.
        layers: Transformer layers.
        heads: Attention heads of each; they divide ``width``.
        dropout: Share of a shopper's latest events, and of the items of the history, left out at random in training.
        item_dropout: Share of items whose learned vector is dropped in a step, so that the projection of the content
            vector alone is good for new items; without content vectors nothing is dropped.
        epochs: The most rounds over the examples; exactly so many when nothing is held out.
        patience: Rounds without a better validation metric before training stops.
        batch: Examples of a step; more where there are very many.
        start_scale: Mean length of the learned item vectors at the start, about.
        learning_rate: Peak of AdamW's step size, after the warm-up.
        weight_decay: Of AdamW, for what is no bias or scale.
        max_examples: The most examples of a round; of more, as many are drawn.
        max_history: Latest events of a shopper that an example's history is made of.
        full_softmax_items: Up to so many items the loss compares with all of them, beyond with a sample.
        negatives: Size of that sample, for each step.
        session_gap_minutes: A pause of this length ends a visit.
        example_half_life_days: Age, before the end of the data, at which a visit counts half as an example.
        long_half_life_days: Half-life of the long-term interest that serving is configured to.
        short_half_life_days: The same for the short-term one.
        time_limit: Seconds that training may take; ``None`` for no limit.
        device: "auto", "cpu" or "cuda".
        tolerance: By how much ONNX Runtime may differ from PyTorch, over max(1, |value|).
    """

    dimensions: int = 128
    width: int = 64
    length: int = 50
    layers: int = 1
    heads: int = 2
    dropout: float = 0.1
    item_dropout: float = 0.1
    epochs: int = 6
    patience: int = 2
    batch: int = 128
    start_scale: float = 2.8
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    max_examples: int = 200_000
    max_history: int = 1000
    full_softmax_items: int = 20_000
    negatives: int = 4096
    session_gap_minutes: float = 30.0
    example_half_life_days: float = 60.0
    long_half_life_days: float = 30.0
    short_half_life_days: float = 1.0
    time_limit: float | None = None
    device: str = "auto"
    tolerance: float = 1e-4
