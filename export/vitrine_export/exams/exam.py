"""What an exam is."""

from collections.abc import Sequence
from dataclasses import dataclass

from vitrine.dataset import Dataset


@dataclass(frozen=True, slots=True)
class LabelQuery:
    """A question whose answer is known.

    Attributes:
        subject: `Subject.key` of who asks.
        scene: The scene that is asked for.
        basket: What lies in the basket.
        targets: What the shopper then took.
        owner: Whose question it is, where one shopper asks under several names; as ``subject`` unless told.
    """

    subject: str
    scene: str
    basket: tuple[str, ...]
    targets: frozenset[str]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Exam:
    """Questions with their answers, and what may be known when they are asked.

    Attributes:
        learn: What models are fitted to.
        shop: Where catalogue, profiles and popularity come from as the questions are asked.
        until: Nothing from this moment on is known, Unix seconds; ``None`` where the data is cut already.
        queries: The questions.
    """

    learn: Dataset
    shop: Dataset
    until: float | None
    queries: Sequence[LabelQuery]
