"""Measures of lists beyond hits: what is shown of the catalogue, how novel, diverse, popular and repeated it is.

They look at the first k items of each list, ask for no targets, and stand for themselves: none is better the larger it is.
Where nothing can be said of a list (diversity of a single item), it is left out of the mean.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from vitrine_export.evaluate.lists import Codes, ItemCodes, ItemSets, Lists
from vitrine_export.evaluate.log import Log, Matrix
from vitrine_export.evaluate.metrics import PerQuery, hits

# Lists of which diversity is computed, spread evenly over all: their mean is known well enough.
_DIVERSE = 4096
# Lists at a time: bounds the memory.
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Background:
    """What lists are seen against; n items.

    Attributes:
        information: ``float64[n]``, −log2 of the item's share of what was taken; of an item that nobody took, as if it had
            been taken once.
        percentile: ``float64[n]`` in (0, 1): the share of the catalogue that was taken less often, equals counting half;
            NaN outside of the catalogue.
        catalogue: ``bool[n]``, what there is to show.
        vectors: ``float[n, d]``, a row of length 1 for each item, or 0 where nothing is known of it.
    """

    information: PerQuery
    percentile: PerQuery
    catalogue: npt.NDArray[np.bool_]
    vectors: Matrix

    @classmethod
    def of(
        cls, log: Log, vectors: Matrix | None = None, catalogue: npt.NDArray[np.bool_] | None = None
    ) -> "Background":
        """From what was taken before.

        Args:
            log: What methods learned from.
            vectors: What items are like (`text_vectors`); who took them unless told.
            catalogue: ``bool[n]``; all items unless told.
        """
        there = np.ones(log.items, np.bool_) if catalogue is None else catalogue
        counts = np.bincount(log.item, minlength=log.items).astype(np.float64)
        percentile = np.full(log.items, np.nan)
        own = np.sort(counts[there])
        less, up_to = (np.searchsorted(own, counts[there], side) for side in ("left", "right"))
        percentile[there] = (less + up_to) / (2 * max(len(own), 1))
        information = -np.log2(np.maximum(counts, 1) / max(counts.sum(), 1))
        if vectors is None:
            taken = log.counts()
            taken.data[:] = 1
            vectors = of_length_one(sp.csr_array(taken.T))
        return cls(information, percentile, there, vectors)


def describe(lists: Lists, history: ItemSets, background: Background, k: int) -> dict[str, float]:
    """All measures over the lists of one method, named like ``coverage@20``.

    Args:
        lists: Of q queries.
        history: What each query's shopper took before.
        background: What they are seen against.
        k: The cut-off.
    """
    shown = lists.items[:, :k]
    values = {
        "novelty": novelty(shown, background),
        "diversity": diversity(shown, background),
        "popularity": popularity(shown, background),
        "popularity_lift": popularity_lift(shown, history, background),
        "repeats": repeats(lists, history, k),
    }
    means = {f"{name}@{k}": _mean(value) for name, value in values.items()}
    return {f"coverage@{k}": coverage(shown, background), f"gini@{k}": gini(shown, background), **means}


def coverage(shown: Codes, background: Background) -> float:
    """Different items shown to anybody ÷ items of the catalogue (Ge, Delgado-Battenfeld & Jannach, RecSys 2010, catalog coverage).

    It grows with the number of queries: compare methods on the same ones.
    """
    seen = np.zeros(len(background.catalogue), np.bool_)
    seen[shown[shown >= 0]] = True
    return float((seen & background.catalogue).sum() / max(background.catalogue.sum(), 1))


def gini(shown: Codes, background: Background) -> float:
    """How unequally the places of all lists are shared out among the catalogue, 0 for evenly.

    G = Σ_j (2 j − n − 1) x_j ÷ (n Σ_j x_j), with x_j the times that an item is shown, rising (Fleder & Hosanagar 2009,
    Management Science 55(5)).
    """
    times = np.bincount(shown[shown >= 0], minlength=len(background.catalogue))[background.catalogue]
    n, total = len(times), times.sum()
    if not total:
        return np.nan
    return float(((2 * np.arange(1, n + 1) - n - 1) * np.sort(times)).sum() / (n * total))


def novelty(shown: Codes, background: Background) -> PerQuery:
    """Mean self-information −log2 p(i) of the items shown, in bits, p(i) the item's share of what was taken.

    Vargas & Castells, RecSys 2011 (item novelty by popularity, in its logarithmic form, without discount by rank); the mean
    self-information of Zhou et al., PNAS 107(10), 2010.
    """
    return _mean_of(shown, background.information)


def diversity(shown: Codes, background: Background) -> PerQuery:
    """Intra-list diversity: mean over all pairs of items shown of 1 − cosine of their vectors.

    The intra-list similarity of Ziegler et al., WWW 2005, as a distance and a mean. By Σ_{i≠j} cos = |Σ v|² − Σ |v|², so no pair is looked
    at. Of more than 4,096 lists only so many, spread evenly, are computed; the others are NaN.
    """
    values = np.full(len(shown), np.nan)
    lengths = np.asarray(background.vectors.multiply(background.vectors).sum(axis=1)).ravel()
    some = np.unique(np.linspace(0, len(shown) - 1, min(_DIVERSE, len(shown))).astype(np.int64))
    for start in range(0, len(some), _CHUNK):
        own = some[start : start + _CHUNK]
        row, rank = np.nonzero(shown[own] >= 0)
        item = shown[own][row, rank]
        entries = sp.coo_array((np.ones(len(item)), (row, item)), (len(own), len(lengths)))
        total = sp.csr_array(entries) @ background.vectors
        squares = np.asarray(total.multiply(total).sum(axis=1)).ravel()
        pairs = squares - np.bincount(row, lengths[item], len(own))
        m = np.bincount(row, minlength=len(own))
        several = m > 1
        values[own[several]] = 1 - pairs[several] / (m * (m - 1))[several]
    return values


def popularity(shown: Codes, background: Background) -> PerQuery:
    """Mean popularity percentile of the items shown: ½ for items at random, near 1 for the most popular ones.

    Average recommendation popularity (Yin et al., "Challenging the Long Tail Recommendation", PVLDB 5(9), 2012)
    with percentiles for counts, so that data sets compare.
    """
    return _mean_of(shown, background.percentile)


def popularity_lift(shown: Codes, history: ItemSets, background: Background) -> PerQuery:
    """Popularity bias: `popularity` of the items shown less that of what the shopper took before.

    Abdollahpouri et al., "The Connection Between Popularity Bias, Calibration, and Fairness in Recommendation", RecSys
    2020 (popularity lift), as a difference of percentiles. NaN for a shopper without a history.
    """
    value = background.percentile[history.items]
    known = ~np.isnan(value)
    sums = np.bincount(history.queries[known], value[known], len(history))
    sizes = np.bincount(history.queries[known], minlength=len(history)).astype(np.float64)
    sizes[sizes == 0] = np.nan
    return popularity(shown, background) - sums / sizes


def repeats(lists: Lists, history: ItemSets, k: int) -> PerQuery:
    """Share of the items shown that the shopper took before (repeat ratio, Li et al. 2023, TOIS 41(4))."""
    places = (lists.items[:, :k] >= 0).sum(axis=1).astype(np.float64)
    places[places == 0] = np.nan
    return np.asarray(hits(lists, history, k).sum(axis=1) / places)


def text_vectors(items: pl.DataFrame | None, codes: ItemCodes) -> Matrix | None:
    """``float64[n, terms]``: TF-IDF of the words of title, description, brand and categories; ``None`` without texts.

    Args:
        items: The item table of a data set.
        codes: All items.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    if items is None:
        return None
    names = [name for name in ("title", "description", "brand") if name in items.columns]
    parts = [pl.col(name).fill_null("") for name in names]
    if "category_path" in items.columns:
        parts.append(pl.col("category_path").list.join(" ").fill_null(""))
    if not parts:
        return None
    table = items.select("item_id", text=pl.concat_str(parts, separator=" "))
    code = codes.codes(table["item_id"].to_list())
    texts = [""] * len(codes)
    for place, text in zip(code.tolist(), table["text"].to_list(), strict=True):
        if place >= 0:
            texts[place] = text
    if not any(text.strip() for text in texts):
        return None
    return sp.csr_array(TfidfVectorizer(analyzer=_words).fit_transform(texts))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def of_length_one(vectors: Matrix) -> Matrix:
    """The rows of a matrix, each divided by its length; empty ones stay so."""
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ vectors)


def _mean_of(shown: Codes, value: PerQuery) -> PerQuery:
    """``float64[q]``: the mean of a value of the items of each list."""
    there = shown >= 0
    found = np.where(there, value[np.maximum(shown, 0)], 0)
    places = there.sum(axis=1).astype(np.float64)
    places[places == 0] = np.nan
    return np.asarray(found.sum(axis=1) / places)


def _mean(values: PerQuery) -> float:
    some = values[~np.isnan(values)]
    return float(some.mean()) if len(some) else np.nan
