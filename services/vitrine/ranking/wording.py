"""Groups, components and values of columns in words, for people who ask why."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from vitrine.features import column

_GROUPS = {
    "history": "what the shopper did with it",
    "taste": "its category, brand and price against the shopper's taste",
    "cf": "what shoppers with the same items took",
    "follows": "what comes soon after what the shopper turned to last",
    "visits": "what was turned to on visits like this one",
    "shoppers": "what shoppers like this one took",
    "crowd": "what all took who share anything with this shopper",
    "factors": "what whole groups of items have in common",
    "content": "its likeness to what the shopper looks at",
    "interest": "the shopper's attention now",
    "deep": "the neural ranker",
    "popularity": "how popular it is",
    "trend": "whether interest in it is rising",
    "newness": "how new it is",
    "search": "how well it matches the query",
    "shopper": "what the shopper is like",
    "context": "what the window is about",
    "item": "its price, and how many sources found it",
}
# Logarithms of 1 + a number of something.
_COUNTS = {
    "shopper.events": "event",
    "shopper.purchase_days": "day",
    "shopper.items": "item",
    "shopper.basket": "item",
    "context.seeds": "item",
    "history.purchases": "time",
    "history.quantity": "piece",
    "history.views": "time",
    "history.purchase_age_gaps": "gap",
    "sequence.since": "step",
    "sequence.first": "step",
    "sequence.times": "time",
    "sequence.visit_times": "time",
    "sequence.visit_events": "event",
}
_OCTAVES = {"item.price", "item.trend", "taste.price_gap"}
_PLAIN = {"item.found_by": "source", "history.rating": "star"}
_SHARES = {
    "item.popularity",
    "shopper.repeats",
    "sequence.after_latest",
    "sequence.visit_repeats",
    "sequence.visit_share",
}
_YES_OR_NO = {"history.in_cart", "history.liked"}
_NO_TEXTS: Mapping[str, str] = MappingProxyType({})


def group_text(name: str) -> str:
    """What a group speaks of."""
    return _GROUPS.get(name, f"what plugin '{name}' says of it")


def column_text(name: str, texts: Mapping[str, str] = _NO_TEXTS) -> tuple[str, str]:
    """Group and words of a column, or of a component of the weighted blend.

    Args:
        name: Its name.
        texts: Words of columns that plugins contributed, by name (`vitrine.bundle.Manifest.texts`).
    """
    if name.startswith("source:") and "." not in name:
        return column(f"{name}.share").group, f"the score of source '{name.removeprefix('source:')}'"
    try:
        known = column(name)
    except KeyError:
        return name, f"the score of ranker '{name}'"
    return known.group, texts.get(name, known.text)


def reading(name: str, value: float) -> str:
    """The value of a column in words: logarithms are undone."""
    if not math.isfinite(value):
        return "not known"
    if name.startswith("plugin:"):
        # Only its author knows what it counts.
        return f"{value:.3g}"
    # Logarithms of counts and ages are at least 0; what a damaged input makes of them still has words.
    number = math.expm1(min(value, 80.0))
    if name in _COUNTS:
        return _many(number, _COUNTS[name])
    if name in _PLAIN:
        return _many(value, _PLAIN[name])
    if name in _YES_OR_NO:
        return "yes" if value > 0 else "no"
    if name in _OCTAVES:
        return f"×{2.0 ** max(min(value, 60.0), -60.0):.3g}"
    if name.endswith("_days"):
        return _many(number, "day") if number >= 1 else _many(number * 24, "hour")
    if name.endswith(("rank", "_rank")):
        return f"place {number + 1:.0f}"
    if name.endswith("share") or name.startswith("taste.") or name in _SHARES:
        return f"{value:.0%}"
    return f"{value:.3g}"


def _many(number: float, what: str) -> str:
    rounded = f"{number:.0f}" if abs(number - round(number)) < 0.05 or number >= 10 else f"{number:.1f}"
    return f"{rounded} {what}" if rounded == "1" else f"{rounded} {what}s"
