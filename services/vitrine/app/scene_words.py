"""A scene in sentences."""

from collections.abc import Iterator

from vitrine.config import RulesConfig, SceneConfig

# Half-lives and terms of years stand for "ever".
_EVER_DAYS = 3650


def words(scene: SceneConfig, *, decides: bool) -> Iterator[str]:
    """What happens in a scene, a sentence each.

    Args:
        scene: The scene.
        decides: Whether its reranker runs.
    """
    sources = scene.active_sources
    if sources:
        told = ", ".join(f"{name} {limit}" for name, limit in sources.items())
        total = sum(sources.values())
        on = "all of them go" if total <= scene.candidates else f"the best {scene.candidates} of them go"
        what = f"{len(sources)} sources" if len(sources) > 1 else "one source"
        yield f"Asks {what} for up to {total} candidates ({told}); {on} to ranking."
    weights = [f"{n.removeprefix('source:')} {w:g}" for n, w in _source_weights(scene).items()]
    counted = bool(scene.rankers or weights)
    summed = "the weighted sum" if counted else "the order in which they were found"
    if not scene.reranker:
        yield (
            "The order is that of the weighted sum."
            if counted
            else "Shows them in the order in which they were found."
        )
    elif decides:
        yield f"'{scene.reranker}' decides the order alone; where it cannot answer, {summed} does."
    else:
        yield f"'{scene.reranker}' should decide the order and is off: {summed} does."
    if weights:
        yield f"In the weighted sum the sources' own scores count too ({', '.join(weights)})."
    yield f"Leaves out {', '.join(_left_out(scene.rules))}."
    caps = [
        f"{n} of a {what}"
        for n, what in ((scene.rules.max_per_brand, "brand"), (scene.rules.max_per_category, "leaf category"))
        if n
    ]
    if caps:
        yield f"Shows at most {' and '.join(caps)}."
    if scene.diversity:
        yield f"Moves apart what is alike: diversity {scene.diversity:g} on a scale from 0 to 1."
    if every := scene.rules.newcomer_every:
        yield f"Gives one place in {every} to what came in lately and nobody has turned to yet."


def _left_out(rules: RulesConfig) -> Iterator[str]:
    yield "what is hidden or cannot be sold"
    if rules.exclude_purchased:
        yield "what the shopper bought" + _within(rules.purchased_within_days)
    if rules.exclude_seen:
        yield "whatever the shopper has had to do with"
    if rules.exclude_in_cart:
        yield "what lies in the basket" + _within(rules.in_cart_within_days)
    if rules.exclude_seeds:
        yield "the items that the window is about"


def _within(days: float) -> str:
    return "" if days >= _EVER_DAYS else f" (in the last {days:g} days)"


def doubts(scene: SceneConfig) -> Iterator[str]:
    """What is allowed and cannot be meant."""
    if not scene.active_sources:
        yield "asks no source: it shows what is popular, whatever stands under weights"
    for name in _source_weights(scene):
        if name.removeprefix("source:") not in scene.active_sources:
            yield f"the weight of '{name}' has no effect: that source is not asked here"
    if scene.weights.get(scene.reranker):
        yield f"the weight of '{scene.reranker}' has no effect: it is the reranker"


def _source_weights(scene: SceneConfig) -> dict[str, float]:
    return {n: w for n, w in scene.weights.items() if w != 0 and n.startswith("source:")}
