"""From words to numbered features: the word itself and its character n-grams, by a hash that never changes.

Character n-grams let "mugs" find "mug" and forgive typing errors (Bojanowski et al., TACL 2017, section 3.2); the
hash keeps the vocabulary in one sorted array instead of a dictionary of strings.
"""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from vitrine.content.tokens import tokens
from vitrine.domain.items import CATEGORY_SEPARATOR, Item

# How much a word counts by where it stands. Levels of the category and the brand also count as a whole.
TITLE, DESCRIPTION, CATEGORY_WORD, BRAND_WORD, CATEGORY, BRAND = 1.0, 0.4, 0.3, 0.5, 1.0, 0.7

# All character n-grams of a word together weigh this much beside the word itself.
NGRAM_SHARE = 0.5
NGRAM_SIZES = (3, 4)

# A "term" is a tagged string, so that a brand is not mistaken for a word.
_WORD, _NGRAM, _CATEGORY, _BRAND = "w", "n", "c", "b"

Bag = dict[str, float]


def item_bag(item: Item) -> Bag:
    """The terms of an item and how much each counts."""
    bag: Bag = {}
    _add(bag, item.title, TITLE)
    _add(bag, item.description, DESCRIPTION)
    path = ""
    for level in item.category_path:
        path = f"{path}{CATEGORY_SEPARATOR}{level}" if path else level
        bag[_CATEGORY + path.casefold()] = CATEGORY
        _add(bag, level, CATEGORY_WORD)
    if item.brand:
        bag[_BRAND + item.brand.casefold()] = BRAND
        _add(bag, item.brand, BRAND_WORD)
    return bag


def text_bag(text: str) -> Bag:
    """The terms of a free text, such as a query."""
    bag: Bag = {}
    _add(bag, text, TITLE)
    return bag


def term_features(term: str) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.float64]]:
    """The features of a term: ``uint64[k]`` hashes and ``float64[k]`` weights; the term itself comes first."""
    names = [term]
    if term[0] == _WORD and term.isascii():
        # Chinese arrives as single characters and pairs, which are n-grams already.
        word = f"<{term[1:]}>"
        grams = {word[i : i + k] for k in NGRAM_SIZES for i in range(len(word) - k + 1)}
        names += [_NGRAM + gram for gram in sorted(grams)]
    weights = np.full(len(names), NGRAM_SHARE / max(len(names) - 1, 1) ** 0.5)
    weights[0] = 1.0
    return hash_terms(names), weights


def hash_terms(terms: Iterable[str]) -> npt.NDArray[np.uint64]:
    """``uint64[k]``: BLAKE2b of each term, the same on every machine and in every version."""
    digests = b"".join(blake2b(t.encode("utf-8", "replace"), digest_size=8).digest() for t in terms)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _add(bag: Bag, text: str, weight: float) -> None:
    """Adds a field's words: the field's weight times 1 + ln(occurrences)."""
    if not text:
        return
    for word, times in Counter(tokens(text)).items():
        term = _WORD + word
        bag[term] = bag.get(term, 0.0) + weight * (1.0 if times == 1 else 1.0 + float(np.log(times)))
