"""Similar items lie near each other, in English and in Chinese; a new item has the vector that training would give."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vitrine.content.encoder import HashedEncoder
from vitrine.domain.items import Item
from vitrine_export.train.content import content_vectors, fit_encoder
from vitrine_export.train.parameters import Parameters

_COLOURS = {"red": "红色", "blue": "蓝色", "green": "绿色", "white": "白色"}
_THINGS = {"mug": "马克杯", "lamp": "台灯", "umbrella": "雨伞", "towel": "毛巾", "backpack": "双肩包"}
_EXTRAS = {"small": "小号", "large": "大号", "gift": "礼品"}

ENGLISH = [
    Item(item_id=f"{c}-{t}-{x}", title=f"{c} {t} {x}", category_path=("home", t), brand="acme")
    for c in _COLOURS
    for t in _THINGS
    for x in _EXTRAS
]
CHINESE = [
    Item(item_id=f"{c}{t}{x}", title=f"{c}{t}{x}", category_path=("家居", t))
    for c in _COLOURS.values()
    for t in _THINGS.values()
    for x in _EXTRAS.values()
]


@pytest.fixture(scope="module")
def encoder() -> HashedEncoder:
    fitted = fit_encoder(ENGLISH + CHINESE, Parameters(dimensions=24), seed=0)
    assert fitted is not None
    return fitted


@pytest.mark.parametrize(
    ("query", "things"),
    [
        ("a blue mug", "mug"),
        ("umbrellas", "umbrella"),
        ("backpak", "backpack"),
        ("蓝色雨伞", "雨伞"),
        ("毛巾", "毛巾"),
    ],
)
def test_a_text_finds_its_items(encoder: HashedEncoder, query: str, things: str) -> None:
    everything = ENGLISH + CHINESE
    scores = encoder.encode(everything) @ encoder.encode_text([query])[0]
    best = [everything[i].title for i in np.argsort(-scores)[:5]]
    assert all(things in title for title in best), best


def test_similar_items_are_nearer_than_others(encoder: HashedEncoder) -> None:
    for items, things in ((ENGLISH, _THINGS), (CHINESE, _THINGS.values())):
        vectors = encoder.encode(items)
        near = vectors @ vectors.T
        kind = np.array([next(i for i, t in enumerate(things) if t in item.title) for item in items])
        same = kind[:, None] == kind[None]
        assert near[same].mean() > near[~same].mean() + 0.4


def test_batches_threads_and_history_change_no_bit(encoder: HashedEncoder) -> None:
    items = ENGLISH + CHINESE
    whole = encoder.encode(items)
    fresh = HashedEncoder(encoder.vocabulary, encoder.idf, encoder.projection)
    backwards = np.concatenate([fresh.encode([item]) for item in reversed(items)])[::-1]
    np.testing.assert_array_equal(whole, backwards)
    shared = HashedEncoder(encoder.vocabulary, encoder.idf, encoder.projection)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(shared.encode, [items[i : i + 7] for i in range(0, len(items), 7)]))
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_memory_of_terms_is_bounded(encoder: HashedEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitrine.content.encoder._MAX_TERMS", 20)
    small = HashedEncoder(encoder.vocabulary, encoder.idf, encoder.projection)
    np.testing.assert_array_equal(
        np.concatenate([small.encode([item]) for item in ENGLISH]), encoder.encode(ENGLISH)
    )
    assert len(small._row_of) < 50


@pytest.mark.parametrize("text", ["", "   ", "🙂", "zzzzqqqq", "\x00", "a" * 100_000])
def test_a_text_that_says_nothing_has_a_zero_or_unit_vector(encoder: HashedEncoder, text: str) -> None:
    vector = encoder.encode_text([text])[0]
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(0) or np.linalg.norm(vector) == pytest.approx(1)


def test_an_item_without_text_has_a_zero_vector(encoder: HashedEncoder) -> None:
    assert not encoder.encode([Item(item_id="x")]).any()
    assert encoder.encode([]).shape == (0, 24)


def test_fitting_is_deterministic() -> None:
    one, two = (fit_encoder(ENGLISH, Parameters(dimensions=8), seed=3) for _ in range(2))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.projection, two.projection)
    np.testing.assert_array_equal(
        content_vectors(ENGLISH, one).vectors, content_vectors(ENGLISH, two).vectors
    )


def test_nothing_in_common_means_no_encoder() -> None:
    lonely = [Item(item_id="1", title="aaaa"), Item(item_id="2", title="zzzz"), Item(item_id="3")]
    assert fit_encoder(lonely, Parameters(), seed=0) is None
