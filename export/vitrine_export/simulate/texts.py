"""Texts of the simulated shop: titles, descriptions, typed queries and reviews, in English and Chinese."""

import numpy as np
import polars as pl

from vitrine_export.simulate.catalog import Bools, Catalog
from vitrine_export.simulate.vocabulary import Ints, Vocabulary, Words


def _column(words: Words, chinese: Bools, index: Ints) -> pl.Series:
    """The given words, each in the given language."""
    return pl.Series(words[chinese.astype(np.int64), index].tolist(), dtype=pl.String)


def _parts(v: Vocabulary, c: Catalog, item: Ints, chinese: Bools) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "brand": _column(v.brands.words, chinese, c.brand[item]),
            "adjective": _column(v.styles.words, chinese, c.adjective[item]),
            "detail": _column(v.details.words, chinese, c.detail[item]),
            "noun": _column(v.nouns.words, chinese, c.noun[item]),
            "variant": _column(v.variants.words, chinese, c.variant[item]),
            "zh": chinese,
        }
    )


def titles(v: Vocabulary, c: Catalog) -> pl.Series:
    """One title per item, in the item's language; items that would be called the same are told apart."""
    parts = _parts(v, c, np.arange(len(c.leaf)), c.chinese)
    words = ("brand", "adjective", "detail", "noun", "variant")
    title = (
        pl.when("zh").then(pl.format("{} {}{}{} {}", *words)).otherwise(pl.format("{} {} {} {}, {}", *words))
    )
    same = pl.int_range(1, pl.len() + 1).over("title")
    edition = pl.when(pl.col("zh")).then(pl.format(" 第{}代", same)).otherwise(pl.format(" Mk {}", same))
    named = parts.with_columns(title.alias("title")).with_columns(
        same.alias("same"), edition.alias("edition")
    )
    return named.select(
        pl.when(pl.col("same") > 1)
        .then(pl.col("title") + pl.col("edition"))
        .otherwise("title")
        .alias("title")
    ).to_series()


def descriptions(v: Vocabulary, c: Catalog, rng: np.random.Generator) -> pl.Series:
    """A sentence per item in its language; about a third say it in the other language, too."""
    every = np.arange(len(c.leaf))
    both = rng.random(len(every)) < 1 / 3
    own, other = (_sentence(_parts(v, c, every, language)) for language in (c.chinese, ~c.chinese))
    return pl.select(pl.when(pl.Series(both)).then(own + pl.lit(" ") + other).otherwise(own)).to_series()


def _sentence(parts: pl.DataFrame) -> pl.Series:
    chinese = pl.format("{}出品的{}{}，{}，{}款。", "brand", "adjective", "noun", "detail", "variant")
    english = pl.format(
        "{} {} by {}: {}, {}.",
        "adjective",
        pl.col("noun").str.to_lowercase(),
        "brand",
        pl.col("detail").str.to_lowercase(),
        "variant",
    )
    return parts.select(pl.when("zh").then(chinese).otherwise(english)).to_series()


def queries(v: Vocabulary, c: Catalog, item: Ints, rng: np.random.Generator) -> pl.Series:
    """What somebody types who looks for such an item, in the item's language: ``str[n]``."""
    parts = _parts(v, c, item, c.chinese[item]).with_columns(pl.Series("form", rng.integers(0, 5, len(item))))
    first = (
        pl.when(pl.col("form") == 1)
        .then("adjective")
        .when(pl.col("form") == 2)
        .then("detail")
        .when(pl.col("form") == 3)
        .then("brand")
        .otherwise(pl.lit(""))
    )
    gap = pl.when((pl.col("form") == 3) | (~pl.col("zh") & pl.col("form").is_in([1, 2]))).then(pl.lit(" "))
    typed = pl.concat_str(first, gap.otherwise(pl.lit("")), pl.col("noun")).str.to_lowercase()
    return parts.select(typed).to_series()


def reviews(v: Vocabulary, stars: Ints, chinese: Bools, rng: np.random.Generator) -> pl.Series:
    """A sentence that fits the stars (1 to 5), in the shopper's language: ``str[n]``."""
    mood = np.where(stars <= 2, 0, np.where(stars == 3, 1, 2))
    return _column(v.reviews.words, chinese, v.reviews.draw(mood, rng))
