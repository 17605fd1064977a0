"""What the simulated shop is made of: `shop.toml` as columns over categories, leaves and words."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Texts in English (row 0) and Chinese (row 1): object[2, n].
Words = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Groups:
    """Words in groups: group g holds the words from ``start[g]`` to ``start[g + 1]``.

    Attributes:
        words: ``object[2, n]``, English and Chinese.
        start: ``int64[groups + 1]``.
    """

    words: Words
    start: Ints

    @classmethod
    def of(cls, groups: list[list[list[str]]]) -> "Groups":
        """From lists of pairs."""
        pairs = [pair for group in groups for pair in group]
        words = np.empty((2, len(pairs)), dtype=object)
        for column, pair in enumerate(pairs):
            words[:, column] = pair
        return cls(words, np.cumsum([0] + [len(group) for group in groups]))

    def draw(self, group: Ints, rng: np.random.Generator) -> Ints:
        """One word of each given group, uniformly: ``int64[n]``."""
        size = self.start[group + 1] - self.start[group]
        return self.start[group] + (rng.random(len(group)) * size).astype(np.int64)


@dataclass(frozen=True)
class Vocabulary:
    """The shop's categories, L leaves and their words.

    Attributes:
        currency: ISO 4217.
        categories: Names of the top categories.
        leaves: L names.
        category: ``int64[L]``, category of each leaf; leaves of one category are next to each other.
        first_leaf: ``int64[categories + 1]``, where a category's leaves begin.
        price: ``float64[L]``, median price.
        days: ``float64[L]``, how long one lasts; 0 for what is not bought again and again.
        season: ``float64[L, 12]``, demand by month.
        companions: For each leaf, the leaves bought with it: ``int64[L, 2]``, -1 where there is none.
        nouns: By leaf.
        brands: By category.
        details: By category.
        variants: By leaf.
        styles: By style.
        life_events: For each life event, the categories it leads to.
        reviews: By mood: poor, fair, good.
    """

    currency: str
    categories: list[str]
    leaves: list[str]
    category: Ints
    first_leaf: Ints
    price: Floats
    days: Floats
    season: Floats
    companions: Ints
    nouns: Groups
    brands: Groups
    details: Groups
    variants: Groups
    styles: Groups
    life_events: list[list[int]]
    reviews: Groups


def load() -> Vocabulary:
    """Reads `shop.toml`."""
    shop = tomllib.loads(resources.files("vitrine_export.simulate").joinpath("shop.toml").read_text("utf-8"))
    categories: list[dict[str, Any]] = shop["category"]
    leaves = [leaf for category in categories for leaf in category["leaves"]]
    names = [leaf["name"] for leaf in leaves]
    tops = [category["name"] for category in categories]
    companions = np.full((len(leaves), 2), -1, dtype=np.int64)
    for row, leaf in enumerate(leaves):
        for column, name in enumerate(leaf.get("with", [])[:2]):
            companions[row, column] = names.index(name)
    return Vocabulary(
        currency=shop["currency"],
        categories=tops,
        leaves=names,
        category=np.repeat(np.arange(len(tops)), [len(c["leaves"]) for c in categories]),
        first_leaf=np.cumsum([0] + [len(c["leaves"]) for c in categories]),
        price=np.array([leaf["price"] for leaf in leaves], dtype=np.float64),
        days=np.array([leaf.get("days", 0) for leaf in leaves], dtype=np.float64),
        season=np.array([shop["seasons"][leaf.get("season", "flat")] for leaf in leaves], dtype=np.float64),
        companions=companions,
        nouns=Groups.of([[[e, z] for e, z in zip(leaf["en"], leaf["zh"], strict=True)] for leaf in leaves]),
        brands=Groups.of([category["brands"] for category in categories]),
        details=Groups.of([category["details"] for category in categories]),
        variants=Groups.of([shop["variants"][leaf["variants"]] for leaf in leaves]),
        styles=Groups.of(list(shop["styles"].values())),
        life_events=[[tops.index(name) for name in names_] for names_ in shop["life_events"].values()],
        reviews=Groups.of([shop["reviews"][mood] for mood in ("poor", "fair", "good")]),
    )
