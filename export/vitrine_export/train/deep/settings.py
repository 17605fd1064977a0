"""Settings of the network `deep`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepSettings:
    """What decides the network and its training.

    Attributes:
        hidden: Widths of the hidden layers.
        dropout: Share of the hidden numbers dropped in training.
        dropped: How often a list is shown without one of its rankers or sources, so that a missing one is nothing new.
        negatives: Candidates that were not taken, of each list and epoch; drawn anew in every epoch.
        lists: Lists of a step.
        folds: Parts, by shopper, of which each is scored by a network that has not seen it.
        epochs: The most rounds over the lists.
        patience: Rounds without a better metric before a fold's training stops.
        learning_rate: Peak of AdamW's step size.
        weight_decay: Of AdamW, for what is no bias.
        time_limit: Seconds that training may take in all; ``None`` for no limit.
        device: "auto", "cpu" or "cuda".
        tolerance: By how much ONNX Runtime may differ from PyTorch, over max(1, |value|).
    """

    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.1
    dropped: float = 0.1
    negatives: int = 50
    lists: int = 32
    folds: int = 2
    epochs: int = 10
    patience: int = 3
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    time_limit: float | None = None
    device: str = "auto"
    tolerance: float = 1e-4
