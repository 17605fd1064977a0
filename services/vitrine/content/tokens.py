"""The one analyzer: free-text search and content vectors see text through the same words."""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

# Scripts that are written without spaces between words (Han, kana, Hangul): read as unigrams and bigrams.
_CJK = "\u3005\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
# Combining marks that stand inside words (Indic, Arabic, Hebrew, Thai, …) and that `\w` leaves out.
_MARKS = (
    "\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0971-\u0df3\u0e30-\u0e4e"
    "\u0eb0-\u0ece\u102b-\u103e\u17b4-\u17d3"
)
_TOKEN = re.compile(rf"([{_CJK}]+)|((?:[^\W_{_CJK}]|[{_MARKS}])+)|([^\w\s\x00-\x7f])")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_ACCENT = re.compile("[\u0300-\u036f]")
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")


@lru_cache(maxsize=1 << 16)
def _fold(word: str) -> str:
    """An English plural as its singular, by the last letters alone; anything else as it is.

    After the "s stemmer" of Harman (1991), "How effective is suffixing?", table 1, with the endings -xes, -ches,
    -shes, -sses and -zzes added.
    """
    if len(word) < 4 or word[-1] != "s" or word[-2] in "us" or not word.isalpha():
        return word
    if word.endswith("ies"):
        return word if len(word) < 5 or word[-4] in "ae" else word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses", "zzes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=1 << 12)
def _is_symbol(char: str) -> bool:
    category = unicodedata.category(char)
    return category in {"So", "Sm", "Sc"}


def tokens(text: str) -> list[str]:
    """The words of a text in order, repeats kept.

    Compatibility forms are unified (NFKC), case and accents are dropped, English plurals become singulars.
    Chinese, Japanese and Korean runs come as single characters and pairs of neighbours, so that any two of them
    can be searched for; an emoji or another symbol beyond ASCII is a token of its own. Every token consists of
    ASCII letters and digits and of characters beyond ASCII, never of spaces or ASCII punctuation.

    >>> tokens("Women's Coffee Mugs")
    ['women', 'coffee', 'mug']
    >>> tokens("咖啡杯")
    ['咖', '咖啡', '啡', '啡杯', '杯']
    """
    if text.isascii():
        text = text.lower()
        if "'" in text:
            text = _APOSTROPHE.sub("", text)
        return [_fold(word) for word in _ASCII_WORD.findall(text)]
    # Compatibility forms may contain more of what is dropped (accents, capitals), so normalise before and after.
    text = _ACCENT.sub("", unicodedata.normalize("NFKD", _APOSTROPHE.sub("", text)))
    text = unicodedata.normalize("NFKC", text).lower()
    found: list[str] = []
    for run, word, symbol in _TOKEN.findall(text):
        if word:
            found.append(_fold(word))
        elif run:
            found.append(run[0])
            for before, char in pairwise(run):
                found += (before + char, char)
        elif _is_symbol(symbol):
            found.append(symbol)
    return found
