"""Free-text search over the catalogue."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrine.catalog import Catalog
from vitrine.catalog.documents import FIELD_WEIGHTS, document
from vitrine.catalog.store import CatalogStore
from vitrine.catalog.text_index import _positions
from vitrine.content.tokens import tokens
from vitrine.domain.items import Item

SHOP = [
    Item(item_id="mug", title="Blue Coffee Mug", category_path=("Kitchen",), brand="Acme"),
    Item(item_id="cup", title="Tea cup", description="Goes with the blue coffee mugs."),
    Item(item_id="lamp", title="Desk lamp", category_path=("Home", "Lamps"), brand="Blue"),
    Item(item_id="杯", title="陶瓷咖啡杯", description="蓝色，六件套", category_path=("厨房",)),
    Item(item_id="壶", title="咖啡壶 ☕"),
]


@pytest.fixture
def store() -> CatalogStore:
    store = CatalogStore.open(None, Catalog())
    store.upsert(SHOP, None, 1.0)
    return store


def search(store: CatalogStore, query: str) -> list[str]:
    found = store.text.search(query, store.catalog.sellable)
    order = np.lexsort((store.catalog.tie[found.rows], -found.scores))
    assert (found.scores > 0).all()
    return [store.catalog.ids[r] for r in found.rows[order].tolist()]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("coffee mugs", ["mug", "cup"]),
        ("COFFEE", ["mug", "cup"]),
        ("blue", ["mug", "lamp", "cup"]),
        ("kitchen", ["mug"]),
        ("lamp coffee", ["lamp", "mug", "cup"]),
        ("咖啡", ["壶", "杯"]),
        ("咖啡杯", ["杯"]),
        ("蓝色", ["杯"]),
        ("☕", ["壶"]),
        ("👍", []),
        ("spaceship", []),
        ("", []),
        ("  ", []),
    ],
)
def test_search(store: CatalogStore, query: str, expected: list[str]) -> None:
    assert search(store, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "'",
        "*",
        "mug*",
        "title:mug",
        "mug AND",
        "NOT",
        "NEAR(a b)",
        "^",
        "(",
        ")",
        "-mug",
        "\0mug",
        "a" * 4000,
    ],
)
def test_syntax_means_nothing(store: CatalogStore, query: str) -> None:
    search(store, query)
    assert search(store, "mug") == ["mug", "cup"]


def test_what_is_not_allowed_is_not_found(store: CatalogStore) -> None:
    allowed = store.catalog.sellable.copy()
    allowed[store.catalog.rows(["mug"])] = False
    found = store.text.search("coffee mug", allowed)
    assert [store.catalog.ids[r] for r in found.rows] == ["cup"]


def test_any_word_counts_when_no_allowed_item_has_all(store: CatalogStore) -> None:
    found = store.text.search("lamp mug", store.catalog.sellable)
    assert not found.all_words
    assert len(found.rows) == 3


def test_a_changed_text_is_found_and_the_old_one_is_not(store: CatalogStore) -> None:
    assert search(store, "desk") == ["lamp"]
    store.upsert([Item(item_id="lamp", title="Floor light")], frozenset({"title"}), 1.0)
    assert search(store, "desk") == []
    assert search(store, "floor") == ["lamp"]
    store.upsert([Item(item_id="new", title="desk")], None, 1.0)
    assert search(store, "desk") == ["new"]


WORDS = st.sampled_from(["red", "blue", "mug", "cup", "set", "杯"])
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 6), TEXTS, TEXTS, TEXTS), max_size=5), max_size=4), TEXTS)
def test_scores_are_bm25_whatever_happened_before(
    batches: list[list[tuple[int, str, str, str]]], query: str
) -> None:
    """Against a naive BM25 over the final items; words are looked up between the changes, to fill the cache."""
    store, final = CatalogStore.open(None, Catalog()), dict[str, Item]()
    for batch in batches:
        items = [Item(item_id=f"i{k}", title=t, brand=b, description=d) for k, t, b, d in batch]
        store.upsert(items, None, 1.0)
        final |= {i.item_id: i for i in items}
        store.text.search("red blue mug cup set 杯", store.catalog.sellable)
    words = list(dict.fromkeys(tokens(query)))
    documents = {i: document(item) for i, item in final.items()}
    average = sum(d.length for d in documents.values()) / max(len(documents), 1)
    matching = {i for i, d in documents.items() if words and set(words) <= d.words()}
    matching = matching or {i for i, d in documents.items() if set(words) & d.words()}
    expected = {}
    for i in matching:
        expected[i] = 0.0
        for word in words:
            df = sum(word in d.words() for d in documents.values())
            doc = documents[i]
            f = sum(w * getattr(doc, name).count(word) for name, w in FIELD_WEIGHTS.items())
            idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            expected[i] += idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * doc.length / average)) if f else 0.0
    found = store.text.search(query, store.catalog.sellable)
    got = dict(zip((store.catalog.ids[r] for r in found.rows), found.scores.tolist(), strict=True))
    assert got == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("many", [0, 3, 900])
@pytest.mark.parametrize("present", [0, 5, 800])
def test_positions_are_found_by_search_or_by_table(many: int, present: int) -> None:
    rng = np.random.default_rng(2)
    rows = np.sort(rng.choice(1000, present, replace=False)).astype(np.int32)
    wanted = rng.choice(1000, many, replace=False).astype(np.int32)
    where = {row: at for at, row in enumerate(rows.tolist())}
    assert _positions(rows, wanted, 1000).tolist() == [where.get(row, -1) for row in wanted.tolist()]


def test_the_cache_of_words_is_bounded(store: CatalogStore) -> None:
    store.text._max_cached = 3
    for word in ("coffee", "blue", "咖啡", "mug", "lamp"):
        search(store, word)
        assert store.text._cached <= 3
        assert store.text._cached == sum(len(p.rows) for p in store.text._postings.values())


def test_search_is_the_same_after_a_restart_and_in_any_order_of_arrival(tmp_path: Path) -> None:
    items = [Item(item_id=f"i{k}", title="blue mug" if k % 3 else "red mug mug") for k in range(50)]
    answers = []
    for name, order in (("a", items), ("b", items[::-1])):
        store = CatalogStore.open(tmp_path / name, Catalog())
        store.upsert([msgspec.structs.replace(i, title="tmp") for i in order], None, 1.0)
        store.upsert(order, None, 1.0)
        answers.append(search(store, "red mug"))
        answers.append(search(store, "mug"))
        store.close()
        store = CatalogStore.open(tmp_path / name, Catalog())
        answers.append(search(store, "red mug"))
        answers.append(search(store, "mug"))
        store.close()
    assert answers[0] == answers[2] == answers[4] == answers[6]
    assert answers[1] == answers[3] == answers[5] == answers[7]
