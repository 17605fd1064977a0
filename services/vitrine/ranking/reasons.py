"""Why an item is shown, in a sentence for the shopper."""

from collections.abc import Sequence

from vitrine.domain.answer import Reason, ReasonCode

SOURCE_REASONS: dict[str, ReasonCode] = {
    "popular": ReasonCode.POPULAR,
    "trending": ReasonCode.TRENDING,
    "co_visitation": ReasonCode.CO_VISITATION,
    "bought_again": ReasonCode.BOUGHT_AGAIN,
    "content": ReasonCode.SIMILAR_CONTENT,
    "new_arrivals": ReasonCode.NEW_ARRIVAL,
    "search": ReasonCode.SEARCH_MATCH,
    "follows": ReasonCode.CO_VISITATION,
    "visits": ReasonCode.TASTE,
    "seen_again": ReasonCode.TASTE,
    "linear": ReasonCode.CO_VISITATION,
    "factors": ReasonCode.TASTE,
}

# What these bring goes with the shopper's own latest events, whether or not one item among them stands out.
FITTING_SOURCES = ("follows", "visits", "seen_again", "factors")

# By group of feature columns, the best first; see `vitrine.ranking.truths` for when each is true. What is not here
# (what the shopper is like, the price) is no reason for an item.
GROUP_REASONS: dict[str, tuple[ReasonCode, ...]] = {
    "history": (ReasonCode.BOUGHT_AGAIN, ReasonCode.TASTE),
    "cf": (ReasonCode.CO_VISITATION,),
    "follows": (ReasonCode.CO_VISITATION, ReasonCode.TASTE),
    "visits": (ReasonCode.CO_VISITATION, ReasonCode.TASTE),
    "shoppers": (ReasonCode.CO_VISITATION, ReasonCode.TASTE),
    "crowd": (ReasonCode.CO_VISITATION, ReasonCode.TASTE),
    "factors": (ReasonCode.CO_VISITATION, ReasonCode.TASTE),
    "content": (ReasonCode.SIMILAR_CONTENT,),
    "interest": (ReasonCode.TASTE,),
    "deep": (ReasonCode.TASTE,),
    "taste": (ReasonCode.TASTE,),
    "popularity": (ReasonCode.POPULAR,),
    "trend": (ReasonCode.TRENDING,),
    "newness": (ReasonCode.NEW_ARRIVAL,),
    "search": (ReasonCode.SEARCH_MATCH,),
}

# For an item for which nothing counted: the most telling first.
ANY_REASON = (
    ReasonCode.BOUGHT_AGAIN,
    ReasonCode.SEARCH_MATCH,
    ReasonCode.NEW_ARRIVAL,
    ReasonCode.CO_VISITATION,
    ReasonCode.SIMILAR_CONTENT,
    ReasonCode.TRENDING,
    ReasonCode.POPULAR,
    ReasonCode.TASTE,
)

# What a reason falls back to when no item of the history stands out.
WITHOUT_ITEM: dict[ReasonCode, ReasonCode] = {
    ReasonCode.CO_VISITATION: ReasonCode.TASTE,
    ReasonCode.SIMILAR_CONTENT: ReasonCode.TASTE,
}

# Characters of a title or a query that a sentence quotes: it stands beside every item of a window.
MAX_QUOTED = 100

# By language: reason, then the sentence; {title} is the item referred to, {query} what was typed.
_TEXTS: dict[str, dict[ReasonCode | str, str]] = {
    "en": {
        ReasonCode.POPULAR: "Popular in the shop",
        ReasonCode.TRENDING: "Many shoppers are looking at this now",
        ReasonCode.CO_VISITATION: "Because you looked at “{title}”",
        "bought": "Because you bought “{title}”",
        "seed": "Goes with “{title}”",
        ReasonCode.TASTE: "Fits what you like",
        ReasonCode.SIMILAR_CONTENT: "Similar to “{title}”",
        ReasonCode.BOUGHT_AGAIN: "You bought this before",
        ReasonCode.NEW_ARRIVAL: "New in the shop",
        ReasonCode.SEARCH_MATCH: "Matches “{query}”",
    },
    "zh": {
        ReasonCode.POPULAR: "店内热销",
        ReasonCode.TRENDING: "正在热看",
        ReasonCode.CO_VISITATION: "因为您看过“{title}”",
        "bought": "因为您买过“{title}”",
        "seed": "与“{title}”搭配",
        ReasonCode.TASTE: "符合您的喜好",
        ReasonCode.SIMILAR_CONTENT: "与“{title}”相似",
        ReasonCode.BOUGHT_AGAIN: "您买过这件商品",
        ReasonCode.NEW_ARRIVAL: "新品上架",
        ReasonCode.SEARCH_MATCH: "符合“{query}”",
    },
}


def codes_of_source(name: str) -> tuple[ReasonCode, ...]:
    """What a source can be a reason for, the best first."""
    code = SOURCE_REASONS.get(name)
    fits = (ReasonCode.TASTE,) if name in FITTING_SOURCES and code is not ReasonCode.TASTE else ()
    return fits if code is None else (code, *fits)


def make_reason(
    code: ReasonCode | None,
    *,
    locale: str = "",
    query: str = "",
    item_ids: Sequence[str] = (),
    title: str = "",
    bought: bool = False,
    seed: bool = False,
) -> Reason:
    """A reason and its sentence.

    Args:
        code: Why; ``None`` gives a reason without a sentence.
        locale: BCP 47 tag; Chinese for ``zh…``, English for everything else.
        query: What was typed.
        item_ids: The items that the reason refers to.
        title: Title of the first of them; without one the sentence names none.
        bought: Whether the shopper bought that item.
        seed: Whether that item is what the window is about.
    """
    if code is None:
        return Reason(None)
    if not title:
        code = WITHOUT_ITEM.get(code, code)
    texts = _TEXTS["zh" if locale.lower().startswith("zh") else "en"]
    variant: ReasonCode | str = code
    if code is ReasonCode.CO_VISITATION:
        variant = "seed" if seed else "bought" if bought else code
    return Reason(code, tuple(item_ids), texts[variant].format(title=_short(title), query=_short(query)))


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 1]}…"
