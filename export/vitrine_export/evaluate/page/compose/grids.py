"""Small tables: the classification view, and what windows are like."""

from collections.abc import Collection, Mapping

from vitrine_export.evaluate.classification import Classification
from vitrine_export.evaluate.page.compose.kinds import kind_of, parts_in
from vitrine_export.evaluate.page.parts import Entry, Grid, Kind
from vitrine_export.evaluate.report import PIPELINE

_TEXTS = {
    "auc": "chance that a positive stands above its negative",
    "accuracy": "share of the pairs' halves that are told right",
    "precision": "of those called positive, how many are",
    "recall": "of the positives, how many are called so",
    "f1": "harmonic mean of the two",
    "coverage": "share of the catalogue that is shown to anybody",
    "gini": "how unevenly places are shared out among items: 0 evenly, 1 to one",
    "novelty": "bits of surprise: −log₂ of an item's share of all that was taken",
    "diversity": "how unlike each other the items of a list are: 0 alike, 1 unlike",
    "popularity": "mean percentile by popularity: ½ at random, 1 the most popular",
    "popularity_lift": "that, less the same of what the shopper took before: the bias",
    "repeats": "share of the places that show what the shopper had before",
}


def classified(rows: Mapping[str, Classification], note: str = "") -> Grid | None:
    """The classification view: measures by method; ``None`` for nothing."""
    how = (
        "Each item that a shopper took stands against one item drawn uniformly from the catalogue. Such negatives are easy: "
        "the figures say more about the view than about windows, and are here to compare with systems that report nothing "
        "else. Small figures are 95 % intervals."
    )
    names = ("auc", "accuracy", "precision", "recall", "f1")
    found = {method: {name: getattr(of, name) for name in names} for method, of in rows.items()}
    means = {method: {m: i.mean for m, i in of.items()} for method, of in found.items()}
    sure = {method: {m: (i.low, i.high) for m, i in of.items()} for method, of in found.items()}
    return _grid("As a classifier", how, means, note, sure)


def whole_lists(
    rows: Mapping[str, Mapping[str, float]], parts: Collection[str] = (), note: str = ""
) -> Grid | None:
    """Measures of whole lists by method; ``None`` for nothing.

    Args:
        rows: As `beyond.describe` answers them.
        parts: Names of rankers, which are left out, as sources are: windows are filled by all of them.
        note: What is to be known.
    """
    rows = {name: found for name, found in rows.items() if kind_of(name, parts) is not Kind.PART}
    how = "What the windows are like, whatever they hit: no column has a best end, but a shop notices each of them."
    return _grid("What the windows are like", how, rows, note)


def _grid(
    title: str,
    how: str,
    rows: Mapping[str, Mapping[str, float]],
    note: str,
    intervals: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
) -> Grid | None:
    columns = list(dict.fromkeys(m for values in rows.values() for m in values))
    if not columns:
        return None
    known = parts_in(rows)
    order = sorted(rows, key=lambda name: name != PIPELINE)
    entries = [
        Entry(name, rows[name], kind_of(name, known), (intervals or {}).get(name, {})) for name in order
    ]
    return Grid(title, how, [(c, _TEXTS.get(c.partition("@")[0], "")) for c in columns], entries, note)
