"""The analyzer that search and content vectors share."""

import doctest
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrine.content import tokens as module
from vitrine.content.tokens import tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n\t ", []),
        ("...!?", []),
        ("White HANGING heart T-Light holder", ["white", "hanging", "heart", "t", "light", "holder"]),
        ("boxes of dishes, glasses & berries", ["box", "of", "dish", "glass", "berry"]),
        ("bus gas glass 4s xs", ["bus", "gas", "glass", "4s", "xs"]),
        ("men's women’s", ["men", "women"]),
        ("snake_case semi-automatic", ["snake", "case", "semi", "automatic"]),
        ("Café Crème", ["cafe", "creme"]),
        ("ＡＢＣ１２ ﬁne", ["abc12", "fine"]),
        ("咖啡杯", ["咖", "咖啡", "啡", "啡杯", "杯"]),
        ("杯", ["杯"]),
        ("iPhone15手机", ["iphone15", "手", "手机", "机"]),
        ("ガラス", ["ガ", "ガラ", "ラ", "ラス", "ス"]),
        ("红色，大号。", ["红", "红色", "色", "大", "大号", "号"]),
        ("mug ☕️!", ["mug", "☕"]),
        ("👍🏽🎉", ["👍", "🎉"]),
        ("5€ ™", ["5", "€", "tm"]),
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),
        ("ёлка Й", ["елка", "и"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_examples_of_the_docstring() -> None:
    assert doctest.testmod(module).failed == 0


def test_composed_and_decomposed_text_are_the_same() -> None:
    assert tokens("cafe\u0301 ガ") == tokens("café カ\u3099")


@given(st.text(max_size=60))
def test_tokens_hold_no_separator(text: str) -> None:
    """The index stores tokens joined by spaces and splits them at ASCII that is no letter or digit."""
    for token in tokens(text):
        assert token
        assert re.fullmatch(r"[a-z0-9]+|(?:[a-z0-9]|[^\x00-\x7f])+", token)
        assert not any(c.isspace() for c in token)


@given(st.text(alphabet=st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=12))
def test_folding_never_empties_a_word(word: str) -> None:
    assert len(tokens(word)) == 1


def test_fast_enough_for_a_catalogue() -> None:
    text = "Vintage Blue Ceramic Coffee Mugs with Hearts, set of 6 boxes " * 5
    started = time.perf_counter()
    for _ in range(1_000):
        tokens(text)
    assert time.perf_counter() - started < 1.0, "60 words should take some 20 µs"
