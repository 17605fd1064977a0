"""A page and its chapters, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vitrine_export.evaluate.page.parts import Bars, Figure, Grid, Standing


@dataclass(frozen=True, slots=True)
class Thing:
    """An item as it is shown to people.

    Attributes:
        item: Its identifier.
        title: Its title; empty where it has none.
        note: What was done with it, and how often.
    """

    item: str
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """An item in a window.

    Attributes:
        thing: The item.
        reason: The sentence that a shopper reads.
        sources: What found it.
        taken: Whether the shopper then took it.
        known: Whether it is in the shopper's history.
    """

    thing: Thing
    reason: str = ""
    sources: Sequence[str] = ()
    taken: bool = False
    known: bool = False


@dataclass(frozen=True, slots=True)
class Shopper:
    """One shopper.

    Attributes:
        name: Who; an identifier.
        told: A line about the shopper.
        history: What the shopper turned to, the latest first.
        basket: What the window was asked about.
        window: What the pipeline shows.
        took: What the shopper then took; those that the window does not hold are missed.
    """

    name: str
    told: str
    history: Sequence[Thing]
    window: Sequence[Offer]
    took: Sequence[Thing]
    basket: Sequence[Thing] = ()


@dataclass(frozen=True, slots=True)
class People:
    """Some shoppers, and how they were chosen."""

    shoppers: Sequence[Shopper]
    how: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One data set by one protocol.

    Attributes:
        title: The data set.
        protocol: Its name.
        told: How it was measured, in one sentence.
        counts: What there was, by name.
        standings: Tables against baselines and published figures; the first is the one that the headline tells of.
        curves: By k, by length of history, by popularity.
        ablation: What each part is worth.
        lists: Measures of whole lists: coverage, novelty, diversity, popularity bias, repeats.
        classification: One uniform negative a positive.
        learning: Learning curves.
        importance: What the reranker goes by.
        people: Some shoppers.
        missing: Why a part is not there, by the name of its field.
        seconds: How long each step took.
        milliseconds: Time of one window; 0 when not known.
        command: What was typed.
        versions: Models, configuration, seed: name and value.
        notes: Sentences below the headline.
    """

    title: str
    protocol: str
    told: str
    counts: Mapping[str, int] = field(default_factory=dict)
    standings: Sequence[Standing] = ()
    curves: Sequence[Figure] = ()
    ablation: Sequence[Bars] = ()
    lists: Grid | None = None
    classification: Grid | None = None
    learning: Figure | None = None
    importance: Bars | None = None
    people: People | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    milliseconds: float = 0.0
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One file.

    Attributes:
        title: Of the whole.
        chapters: One each data set and protocol.
        machine: Where it ran.
        made: When, for people.
        notes: Sentences below the title.
        figures: What is about all of them, behind the chapters: what training costs by size of the data.
    """

    title: str
    chapters: Sequence[Chapter]
    machine: str = ""
    made: str = ""
    notes: Sequence[str] = ()
    figures: Sequence[Figure] = ()
