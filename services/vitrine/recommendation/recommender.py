"""One window: profile, candidates, order, within the caller's time."""

import math
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from vitrine.config import Config, RecommendationConfig, SceneConfig
from vitrine.domain.answer import Degradation
from vitrine.domain.candidates import Candidates, Ranked, Retrieved
from vitrine.domain.clock import Clock
from vitrine.domain.explanation import Explained
from vitrine.domain.profile import Profile
from vitrine.domain.stages import current_spent, measured, spent
from vitrine.errors import InvalidInput, NotFound
from vitrine.recommendation.asking import Asking, own_versions
from vitrine.recommendation.explaining import WindowExplained, unknown, was_added, with_item
from vitrine.recommendation.fallback import LastCandidates, Sellable
from vitrine.recommendation.ports import Ports, Services
from vitrine.recommendation.query import Window, WindowItem, WindowQuery
from vitrine.rpc.metrics import Metrics

T = TypeVar("T")


class Recommender:
    """Decides what goes into a window.

    Args:
        services: The services behind the front.
        begin: Called once at the beginning of each request: answers its scenes and shares of the time, and has the
            services answer it by the same.
        clock: Stamps every request once.
        metrics: Takes the times of the stages and counts what was degraded.
        sellable: Tells whether an item may be sold, asked only when retrieval or ranking is gone.
    """

    def __init__(
        self,
        services: Services,
        begin: Callable[[], Config],
        clock: Clock,
        metrics: Metrics,
        sellable: Sellable = lambda _: True,
    ) -> None:
        self._services = services
        self._begin = begin
        self._clock = clock
        self._metrics = metrics
        self._sellable = sellable
        self._last = LastCandidates()

    async def recommend(self, query: WindowQuery, seconds: float | None) -> Window:
        """The window.

        Args:
            query: Checked by the caller, but for the scene.
            seconds: Time left; ``None`` for the configured default.

        Raises:
            InvalidInput: The scene is not configured.
        """
        config = self._begin()
        scene, now = _scene(query.scene, config), self._clock()
        end = _end(seconds, config.recommendation)

        async def work(ports: Ports) -> tuple[Profile, Retrieved, Ranked, list[Degradation]]:
            asking = self._asking(ports, query, config, now, end)
            profile = await asking.profile()
            retrieved = await asking.retrieve(profile)
            return profile, retrieved, await asking.rank(scene, profile, retrieved), asking.degraded

        profile, retrieved, ranked, degraded = await self._answered(work, end)
        for part in degraded:
            self._metrics.degraded(part)
        items, stage = measured("encode", lambda: window_items(query, retrieved.candidates, ranked))
        spent().add(stage)
        return Window(
            items=items,
            request_id=query.request_id,
            request_time=now,
            versions=replace(
                own_versions(config),
                bundle=ranked.versions.bundle or retrieved.versions.bundle,
                plugins=ranked.versions.plugins,
            ),
            degraded=tuple(degraded),
            profile_watermark=profile.watermark,
            trace=ranked.lists[0].trace,
        )

    async def explain(self, query: WindowQuery, item_id: str, seconds: float | None) -> WindowExplained:
        """Why an item has its place in a window, or none; arguments as for `recommend`.

        Raises:
            InvalidInput: The scene is not configured.
            NotFound: The catalogue does not have the item.
        """
        config = self._begin()
        scene, now = _scene(query.scene, config), self._clock()
        end = _end(seconds, config.recommendation)

        async def work(ports: Ports) -> tuple[Profile, Retrieved, Explained, list[Degradation]]:
            asking = self._asking(ports, query, config, now, end)
            profile = await asking.profile()
            try:
                retrieved = await asking.retrieve(profile, include=(item_id,))
            except NotFound:
                raise unknown(item_id) from None
            retrieved = with_item(retrieved, item_id)
            explained = await asking.explain(item_id, scene, profile, retrieved)
            return profile, retrieved, explained, asking.degraded

        profile, retrieved, explained, degraded = await self._answered(work, end)
        return WindowExplained(
            replace(explained.explanation, added=was_added(retrieved.candidates, item_id, scene)),
            now,
            replace(
                own_versions(config),
                bundle=explained.versions.bundle or retrieved.versions.bundle,
                plugins=explained.versions.plugins,
            ),
            (*degraded, *explained.degraded),
            profile.watermark,
        )

    def _asking(self, ports: Ports, query: WindowQuery, config: Config, now: float, end: float) -> Asking:
        return Asking(ports, query, config, now, end, self._last, self._sellable)

    async def _answered(self, work: Callable[[Ports], Coroutine[Any, Any, T]], end: float) -> T:
        """What comes of the calls of a request, whose times are counted."""
        measures = spent()
        before = current_spent.set(measures)
        try:
            return await self._services.together(work, end - time.monotonic())
        finally:
            current_spent.reset(before)
            for name, seconds in measures.services:
                self._metrics.service(name, seconds)


def _end(seconds: float | None, settings: RecommendationConfig) -> float:
    """When the time of a call is over, by the monotonic clock; ``None`` for the configured default."""
    left = seconds if seconds is not None else settings.default_deadline_ms / 1000
    return time.monotonic() + left - settings.margin_ms / 1000


def _scene(name: str, config: Config) -> SceneConfig:
    try:
        return config.scenes[name]
    except KeyError:
        known = ", ".join(config.scenes)
        raise InvalidInput("scene", f"unknown scene '{name}'; configured: {known}") from None


def window_items(query: WindowQuery, candidates: Candidates, ranked: Ranked) -> list[WindowItem]:
    """The items of a window, out of the only list of ``ranked``."""
    one = ranked.lists[0]
    names = candidates.source_names
    masks = candidates.masks[one.positions].tolist()
    # Most items were found by the same few sources.
    found_by = {mask: [s for j, s in enumerate(names) if mask >> j & 1] for mask in set(masks)}
    sources = [found_by[mask] for mask in masks]
    scores: Sequence[Mapping[str, float]] = [{}] * len(masks)
    if query.include_scores:
        scores = [
            {n: v for n, v in zip(ranked.score_names, row, strict=True) if not math.isnan(v)}
            for row in one.component_scores.tolist()
        ]
    ids = [candidates.item_ids[i] for i in one.positions.tolist()]
    final = np.asarray(one.scores).tolist()
    return [WindowItem(*fields) for fields in zip(ids, final, one.reasons, sources, scores, strict=True)]
