"""Terms, features and hashes."""

import numpy as np

from vitrine.content.features import hash_terms, item_bag, term_features, text_bag
from vitrine.content.text import text_hashes
from vitrine.domain.items import Item


def test_hashes_never_change() -> None:
    # Stored in bundles: a change here makes every bundle unreadable.
    assert hash_terms(["wmug", "w杯"]).tolist() == [5676576932211238323, 11656601901241217710]
    assert text_hashes([Item(item_id="x", title="a", category_path=("b",))]).tolist() == [5331619997194495072]


def test_an_item_is_its_words_its_categories_and_its_brand() -> None:
    bag = item_bag(
        Item(item_id="x", title="Red Mug", description="mug", category_path=("Home", "Kitchen"), brand="ACME")
    )
    assert {"wred", "wmug", "chome", "chome > kitchen", "bacme", "wacme", "wkitchen"} <= set(bag)
    assert bag["wmug"] > bag["wred"] > bag["wkitchen"]


def test_a_word_shares_ngrams_with_its_forms_and_not_with_its_field() -> None:
    mug, mugs, brand = (set(term_features(t)[0].tolist()) for t in ("wmug", "wmugx", "bmug"))
    assert len(mug & mugs) >= 2
    assert not mug & brand
    assert len(term_features("w杯")[0]) == 1


def test_text_hash_tells_fields_apart() -> None:
    variants = [
        Item(item_id="x", title="ab"),
        Item(item_id="x", title="a", description="b"),
        Item(item_id="x", title="a", brand="b"),
        Item(item_id="x", title="a", category_path=("b",)),
        Item(item_id="x", title="a", category_path=("b", "")),
    ]
    assert len(np.unique(text_hashes(variants))) == len(variants)
    assert text_hashes(variants[:1]) == text_hashes([Item(item_id="y", title="ab", price_micros=3)])


def test_repeats_count_less_and_less() -> None:
    once, twice, often = (text_bag("mug " * n)["wmug"] for n in (1, 2, 10))
    assert once < twice < often < 10 * once
