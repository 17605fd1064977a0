"""Numbers as people read them."""

import math
import unicodedata

# How wide a column of a character is: two in the scripts of East Asia.
_WIDE = frozenset({"W", "F"})


def figure(value: float, places: int = 4) -> str:
    """A measure, or a dash for none."""
    return f"{value:.{places}f}".replace("-", "−") if math.isfinite(value) else "–"


def signed(value: float, places: int = 4) -> str:
    """A difference, with a real minus."""
    return f"{value:+.{places}f}".replace("-", "−") if math.isfinite(value) else "–"


def percent(value: float, places: int = 1) -> str:
    """A relative difference; from twice as much on, without places."""
    places = places if abs(value) < 1 else 0
    return f"{100 * value:+,.{places}f} %".replace("-", "−") if math.isfinite(value) else "–"


def short(value: float) -> str:
    """At an axis: no more digits than it takes."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 0.0001 else f"{value:.0e}"


def lasted(seconds: float) -> str:
    """A time that was spent."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 100 else f"{minutes / 60:.1f} h"


def cut(words: str, columns: int) -> str:
    """At most so many columns of text, with an ellipsis where something is left out."""
    taken = 0
    for place, character in enumerate(words):
        taken += 2 if unicodedata.east_asian_width(character) in _WIDE else 1
        if taken > columns:
            return words[: max(place - 1, 1)].rstrip() + "…"
    return words


def named(measure: str) -> str:
    """A measure's name: ``ndcg@20`` is NDCG@20, ``recall@20`` Recall@20."""
    name, at, k = measure.partition("@")
    known = {"ndcg": "NDCG", "mrr": "MRR", "hr": "HR", "map": "MAP", "f1": "F1", "auc": "AUC"}
    return known.get(name, name.replace("_", " ").capitalize()) + at + k


def counted(count: int, one: str, many: str = "") -> str:
    """``1 query``, ``1,204 queries``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(parts: list[str]) -> str:
    """``a, b and c``."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1] if parts else ""
