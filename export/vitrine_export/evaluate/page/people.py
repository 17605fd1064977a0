"""Shoppers: what they turned to, what they are shown and why, what they then took."""

from collections.abc import Sequence

from vitrine_export.evaluate.page.chapters import Offer, People, Shopper, Thing
from vitrine_export.evaluate.page.html import Html, el, join, titled
from vitrine_export.evaluate.page.words import counted, cut

# Places that are not folded away, columns of a title that are shown, and items of a list beside the window.
_FIRST, _LONG, _MOST = 10, 90, 20
_HOW = (
    "Left what the shopper turned to before, the latest first; in the middle the window with the reason that the shopper "
    "would read and what found the item; items that the shopper then took are marked ✓. Right what else the shopper took."
)


def people(of: People) -> Html:
    """The section; the first shopper is unfolded."""
    return join(
        [
            el("h3", f"{counted(len(of.shoppers), 'shopper')}, their windows and reasons"),
            el("p", f"{of.how} {_HOW}", class_="how"),
            (_shopper(one, unfolded=number == 0) for number, one in enumerate(of.shoppers)),
        ]
    )


def _shopper(one: Shopper, *, unfolded: bool) -> Html:
    hits = sum(offer.taken for offer in one.window)
    shown = {offer.thing.item for offer in one.window}
    missed = [thing for thing in one.took if thing.item not in shown]
    told = f"{one.told} · " if one.told else ""
    summary = el(
        "summary",
        titled(one.name),
        " ",
        el("span", f"{told}{hits} of {len(one.took)} found", class_="dim"),
    )
    before = [
        el("h4", "before"),
        _things(one.history, "nothing is known"),
        *(
            [el("h4", "the window is about", style="margin-top:1rem"), _things(one.basket, "")]
            if one.basket
            else []
        ),
    ]
    window = _window(one.window) if one.window else _none("empty")
    columns = el(
        "div",
        el("div", before),
        el("div", el("h4", "window"), window),
        el("div", el("h4", "taken, and not in the window"), _things(missed, "nothing: all of it was shown")),
        class_="shelf",
    )
    return el("details", summary, columns, class_="shopper", open=unfolded)


def _window(offers: Sequence[Offer]) -> Html:
    """The first places, as far down as something was taken; the rest is folded."""
    last = max((place for place, offer in enumerate(offers, 1) if offer.taken), default=0)
    shown = max(_FIRST, last)
    rest = offers[shown:]
    begin = f"counter-reset:place {shown}"
    return join(
        [
            el("ol", map(_offer, offers[:shown]), class_="window"),
            el(
                "details",
                el("summary", f"{len(rest)} more"),
                el("ol", map(_offer, rest), class_="window", style=begin),
            )
            if rest
            else None,
        ]
    )


def _things(things: Sequence[Thing], empty: str) -> Html:
    if not things:
        return _none(empty)
    shown = (
        el("li", _title(thing), el("span", thing.note, class_="sub") if thing.note else None)
        for thing in things[:_MOST]
    )
    more = len(things) - _MOST
    return join([el("ol", shown), _none(f"and {more} more") if more > 0 else None])


def _none(words: str) -> Html:
    return el("p", words, class_="faint note")


def _title(thing: Thing) -> Html:
    """The title, under the pointer the identifier and what is cut off; the identifier where there is no title."""
    shown = cut(thing.title or thing.item, _LONG)
    whole = thing.item if shown == thing.title else f"{thing.title} ({thing.item})" if thing.title else None
    return titled(shown, class_="title", title=whole)


def _offer(offer: Offer) -> Html:
    tags = [el("span", source, class_="tag") for source in offer.sources]
    known = el("span", "known", class_="tag", title="The shopper had it before.") if offer.known else None
    return el(
        "li",
        _title(offer.thing),
        " ✓" if offer.taken else None,
        el("span", offer.reason, class_="sub", dir="auto") if offer.reason else None,
        el("span", known, tags, class_="sub") if tags or known else None,
        class_="hit" if offer.taken else None,
    )
