"""HTML that cannot be written wrong: elements close themselves, and text is escaped unless it is HTML already."""

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"

_VOID = frozenset({"br", "hr", "meta", "col"})
# What no document may hold: control characters, and halves of pairs that come from broken file names.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# A number and its per cent stay on one line.
_PER_CENT = re.compile("(?<=[0-9]) (?=%)")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile("[\u3040-\u30ff]")


def text(value: object) -> Html:
    """A value as text of a document."""
    if isinstance(value, Html):
        return value
    return Html(escape(_PER_CENT.sub("\N{NO-BREAK SPACE}", _FORBIDDEN.sub("�", str(value)))))


def el(name: str, /, *children: Child, **attributes: object) -> Html:
    """An element.

    Args:
        name: Of the tag.
        children: Texts, elements and iterables of them; ``None`` for nothing.
        attributes: A trailing ``_`` is dropped and ``_`` within a name is a dash; ``None`` and ``False`` leave one out.
    """
    told = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _VOID:
        return Html(f"<{name}{told}>")
    return Html(f"<{name}{told}>{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Children one after another."""
    return Html("".join(_flat(children)))


def titled(words: str, name: str = "span", **attributes: object) -> Html:
    """Text of the shop: with its script, so that Chinese is set in a Chinese face, and in its own direction."""
    language = None
    if _KANA.search(words):
        language = "ja"
    elif _HAN.search(words):
        language = "zh"
    return el(name, words, lang=language, dir="auto", **attributes)


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, str | int):
            yield text(child)
        else:
            yield from _flat(child)
