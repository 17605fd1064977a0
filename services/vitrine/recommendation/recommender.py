"""One window: profile, candidates, order, within the caller's time; what fails is left out and said to be."""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from vitrine import __version__
from vitrine.config import Config, RecommendationConfig, SceneConfig
from vitrine.domain.answer import Degradation, DegradationCode, Versions
from vitrine.domain.candidates import Candidates, Ranked, Retrieved
from vitrine.domain.clock import Clock
from vitrine.domain.profile import Profile
from vitrine.domain.stages import measured, spent
from vitrine.errors import InvalidInput, NotFound, NotReady, Timeout, VitrineError
from vitrine.ranking.query import RankingQuery, ShopperQuery
from vitrine.recommendation.explaining import (
    WindowExplained,
    unknown,
    was_added,
    with_item,
    without_ranking,
)
from vitrine.recommendation.fallback import LastCandidates, Sellable, rank_as_found
from vitrine.recommendation.ports import Ports
from vitrine.recommendation.query import Window, WindowItem, WindowQuery
from vitrine.retrieval import RetrievalQuery
from vitrine.rpc.metrics import Metrics

log = logging.getLogger(__name__)

T = TypeVar("T")

_CODES: dict[type[VitrineError], DegradationCode] = {
    Timeout: DegradationCode.TIMEOUT,
    NotReady: DegradationCode.STALE,
}


class Recommender:
    """Decides what goes into a window.

    Args:
        ports: The services behind the front.
        begin: Called once at the beginning of each request: answers its scenes and shares of the time, and has the
            ports answer it by the same.
        clock: Stamps every request once.
        metrics: Takes the times of the stages and counts what was degraded.
        sellable: Tells whether an item may be sold, asked only when retrieval or ranking is gone.
    """

    def __init__(
        self,
        ports: Ports,
        begin: Callable[[], Config],
        clock: Clock,
        metrics: Metrics,
        sellable: Sellable = lambda _: True,
    ) -> None:
        self._ports = ports
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
        scene = _scene(query.scene, config)
        now = self._clock()
        end = _end(seconds, config.recommendation)
        degraded: list[Degradation] = []

        profile = await self._profile(query, config, end, degraded)
        retrieved = await self._retrieve(query, config, profile, now, end, degraded)
        ranked = await self._rank(query, scene, profile, retrieved, now, end, degraded)

        for part in degraded:
            self._metrics.degraded(part)
        items, stage = measured("encode", lambda: window_items(query, retrieved.candidates, ranked))
        spent().add(stage)
        return Window(
            items=items,
            request_id=query.request_id,
            request_time=now,
            versions=replace(
                _versions(config),
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
        degraded: list[Degradation] = []
        profile = await self._profile(query, config, end, degraded)
        try:
            retrieved = await self._retrieve(query, config, profile, now, end, degraded, include=(item_id,))
        except NotFound:
            raise unknown(item_id) from None
        retrieved = with_item(retrieved, item_id)
        candidates, bundle = retrieved.candidates, retrieved.versions.bundle
        shopper = ShopperQuery(profile, query.scene, query.context, query.limit)
        wanted = RankingQuery.single(now, shopper, candidates, bundle)
        explained = await self._stage(
            "ranking",
            lambda left: self._ports.ranking.explain(
                wanted, item_id, query.filters, retrieved.catalog_revision, left
            ),
            _part(end, 1.0),
            degraded,
        )
        if explained is None:
            everything = replace(shopper, limit=len(candidates))
            shown = rank_as_found(everything, scene, retrieved, now, self._sellable)
            explained = without_ranking(item_id, candidates, shown)
        elif bundle and explained.versions.bundle not in {bundle, ""}:
            degraded.append(_two_bundles(bundle, explained.versions.bundle))
        return WindowExplained(
            replace(explained.explanation, added=was_added(candidates, item_id, scene)),
            now,
            replace(
                _versions(config),
                bundle=explained.versions.bundle or bundle,
                plugins=explained.versions.plugins,
            ),
            (*degraded, *explained.degraded),
            profile.watermark,
        )

    async def _profile(
        self, query: WindowQuery, config: Config, end: float, degraded: list[Degradation]
    ) -> Profile:
        subject = query.subject
        if subject is None:
            return Profile()
        share = config.recommendation.profile_share
        found = await self._stage(
            "profile",
            lambda seconds: self._ports.profile.get(subject, query.min_watermark, seconds),
            _part(end, share),
            degraded,
        )
        if found is None and degraded[-1].code is DegradationCode.STALE:
            # An older profile is better than none.
            found = await self._stage(
                "profile",
                lambda seconds: self._ports.profile.get(subject, 0, seconds),
                _part(end, share),
                degraded,
            )
        return found or Profile(subject=subject)

    async def _retrieve(
        self,
        query: WindowQuery,
        config: Config,
        profile: Profile,
        now: float,
        end: float,
        degraded: list[Degradation],
        include: tuple[str, ...] = (),
    ) -> Retrieved:
        wanted = RetrievalQuery(
            request_time=now,
            profile=profile,
            context=query.context,
            filters=query.filters,
            scene=query.scene,
            include=include,
        )
        share = config.recommendation.retrieval_share
        found = await self._stage(
            "retrieval",
            lambda seconds: self._ports.retrieval.retrieve(wanted, seconds),
            _part(end, share),
            degraded,
        )
        if found is None:
            versions = _versions(config)
            stand_in = self._last.get(query.filters) or Retrieved(Candidates.of_items(()), 0, versions)
            # What is for everybody was found without models.
            return replace(stand_in, versions=versions)
        degraded += found.degraded
        if not query.filters and not include:
            self._last.put(found)
        return found

    async def _rank(
        self,
        query: WindowQuery,
        scene: SceneConfig,
        profile: Profile,
        retrieved: Retrieved,
        now: float,
        end: float,
        degraded: list[Degradation],
    ) -> Ranked:
        shopper = ShopperQuery(profile, query.scene, query.context, query.limit)
        bundle = retrieved.versions.bundle
        wanted = RankingQuery.single(now, shopper, retrieved.candidates, bundle, trace=query.include_trace)
        if len(retrieved.candidates):
            found = await self._stage(
                "ranking",
                lambda seconds: self._ports.ranking.rank(wanted, retrieved.catalog_revision, seconds),
                _part(end, 1.0),
                degraded,
            )
            if found is not None:
                degraded += found.degraded
                if bundle and found.versions.bundle not in {bundle, ""}:
                    degraded.append(_two_bundles(bundle, found.versions.bundle))
                return found
        ranked, stage = measured(
            "ranking", lambda: rank_as_found(shopper, scene, retrieved, now, self._sellable)
        )
        spent().add(stage)
        return ranked

    async def _stage(
        self,
        name: str,
        call: Callable[[float], Awaitable[T]],
        seconds: float,
        degraded: list[Degradation],
    ) -> T | None:
        """What a service answers; ``None``, and a line in ``degraded``, when it does not."""
        started, found = time.perf_counter(), None
        try:
            if seconds <= 0:
                raise Timeout("no time was left")
            found = await call(seconds)
        except NotFound:
            # Only what the caller named can be missing.
            raise
        except InvalidInput:
            # The front checks requests itself, so this is a disagreement between two versions or configurations.
            log.exception("%s refused what the front sent", name)
            degraded.append(Degradation(name, DegradationCode.FAILED, f"{name} refused the request"))
        except VitrineError as error:
            code = _CODES.get(type(error), DegradationCode.UNAVAILABLE)
            degraded.append(Degradation(name, code, f"{name}: {error}"))
        except Exception:
            log.exception("%s failed", name)
            degraded.append(Degradation(name, DegradationCode.FAILED, f"{name} failed; its log says why"))
        finally:
            took = time.perf_counter() - started
            self._metrics.service(name, took)
            # A profile tells nothing of itself: whoever reads it reports that beside.
            spent().called(name, took, getattr(found, "stages", ()), failed=found is None)
        return found


def _versions(config: Config) -> Versions:
    """What the front itself works with."""
    return Versions(server=__version__, config=config.fingerprint)


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


def _part(end: float, share: float) -> float:
    """Seconds that a stage may take of what is left until ``end``."""
    return (end - time.monotonic()) * share


def _two_bundles(found: str, ordered: str) -> Degradation:
    return Degradation(
        "bundle",
        DegradationCode.STALE,
        f"candidates are of bundle {found} and their order of bundle {ordered}; reload the service that lags behind",
    )


def window_items(query: WindowQuery, candidates: Candidates, ranked: Ranked) -> list[WindowItem]:
    """The items of a window, out of the only list of ``ranked``."""
    one = ranked.lists[0]
    names = candidates.source_names
    sources = [
        [s for j, s in enumerate(names) if mask >> j & 1] for mask in candidates.masks[one.positions].tolist()
    ]
    scores = [
        {n: v for n, v in zip(ranked.score_names, row, strict=True) if not math.isnan(v)}
        if query.include_scores
        else {}
        for row in one.component_scores.tolist()
    ]
    ids = [candidates.item_ids[i] for i in one.positions.tolist()]
    final = np.asarray(one.scores).tolist()
    return [WindowItem(*fields) for fields in zip(ids, final, one.reasons, sources, scores, strict=True)]
