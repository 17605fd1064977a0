"""Asks the services for what a window is made of, one after the other; what fails is left out and said to be."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from vitrine import __version__
from vitrine.config import Config, SceneConfig
from vitrine.domain.answer import Degradation, DegradationCode, Versions
from vitrine.domain.candidates import Candidates, Ranked, Retrieved
from vitrine.domain.explanation import Explained
from vitrine.domain.profile import Profile
from vitrine.domain.stages import measured, spent
from vitrine.errors import InvalidInput, NotFound, NotReady, Timeout, VitrineError
from vitrine.ranking.query import RankingQuery, ShopperQuery
from vitrine.recommendation.explaining import without_ranking
from vitrine.recommendation.fallback import LastCandidates, Sellable, rank_as_found
from vitrine.recommendation.ports import Ports
from vitrine.recommendation.query import WindowQuery
from vitrine.retrieval import RetrievalQuery

log = logging.getLogger(__name__)

T = TypeVar("T")

_CODES: dict[type[VitrineError], DegradationCode] = {
    Timeout: DegradationCode.TIMEOUT,
    NotReady: DegradationCode.STALE,
}


class Asking:
    """The calls of one request.

    Args:
        ports: Whom to ask.
        query: What was asked for.
        config: Scenes and shares of the time.
        now: The moment to answer for, Unix seconds.
        end: When the time of the request is over, by the monotonic clock.
        last: What stands in for candidates.
        sellable: Tells whether an item may be sold.

    Attributes:
        degraded: What was missing so far.
    """

    def __init__(
        self,
        ports: Ports,
        query: WindowQuery,
        config: Config,
        now: float,
        end: float,
        last: LastCandidates,
        sellable: Sellable,
    ) -> None:
        self.degraded: list[Degradation] = []
        self._ports = ports
        self._query = query
        self._config = config
        self._now = now
        self._end = end
        self._last = last
        self._sellable = sellable

    async def profile(self) -> Profile:
        """Who asks, as far as it can be had."""
        subject, watermark = self._query.subject, self._query.min_watermark
        if subject is None:
            return Profile()
        share = self._config.recommendation.profile_share
        found = await self._stage(
            "profile", lambda seconds: self._ports.profile.get(subject, watermark, seconds), share
        )
        if found is None and self.degraded[-1].code is DegradationCode.STALE:
            # An older profile is better than none.
            found = await self._stage(
                "profile", lambda seconds: self._ports.profile.get(subject, 0, seconds), share
            )
        return found or Profile(subject=subject)

    async def retrieve(self, profile: Profile, include: tuple[str, ...] = ()) -> Retrieved:
        """Candidates, or what stands in for them.

        Args:
            profile: Who asks.
            include: Items that are to be among them.

        Raises:
            NotFound: The catalogue does not have one of these.
        """
        query = self._query
        wanted = RetrievalQuery(
            request_time=self._now,
            profile=profile,
            context=query.context,
            filters=query.filters,
            scene=query.scene,
            include=include,
        )
        share = self._config.recommendation.retrieval_share
        found = await self._stage(
            "retrieval", lambda seconds: self._ports.retrieval.retrieve(wanted, seconds), share
        )
        if found is None and profile.version and self.degraded[-1].code is DegradationCode.FAILED:
            # If it was the profile, there is a window without it.
            unknown = replace(wanted, profile=Profile(subject=profile.subject))
            found = await self._stage(
                "retrieval", lambda seconds: self._ports.retrieval.retrieve(unknown, seconds), share
            )
        if found is None:
            versions = own_versions(self._config)
            stand_in = self._last.get(query.filters) or Retrieved(Candidates.of_items(()), 0, versions)
            # What is for everybody was found without models.
            return replace(stand_in, versions=versions)
        self.degraded += found.degraded
        if not query.filters and not include:
            self._last.put(found)
        return found

    async def rank(self, scene: SceneConfig, profile: Profile, retrieved: Retrieved) -> Ranked:
        """Their order, or that in which they were found."""
        shopper = self._shopper(profile, retrieved)
        bundle = retrieved.versions.bundle
        wanted = RankingQuery.single(
            self._now, shopper, retrieved.candidates, bundle, trace=self._query.include_trace
        )
        if len(retrieved.candidates):
            found = await self._stage(
                "ranking",
                lambda seconds: self._ports.ranking.rank(wanted, retrieved.catalog_revision, seconds),
            )
            if found is not None:
                self.degraded += found.degraded
                self._compare(bundle, found.versions.bundle)
                return found
        ranked, stage = measured(
            "ranking", lambda: rank_as_found(shopper, scene, retrieved, self._now, self._sellable)
        )
        spent().add(stage)
        return ranked

    async def explain(
        self, item_id: str, scene: SceneConfig, profile: Profile, retrieved: Retrieved
    ) -> Explained:
        """Why one of them has its place, as far as it can be told."""
        shopper = self._shopper(profile, retrieved)
        candidates, bundle = retrieved.candidates, retrieved.versions.bundle
        wanted = RankingQuery.single(self._now, shopper, candidates, bundle)
        found = await self._stage(
            "ranking",
            lambda seconds: self._ports.ranking.explain(
                wanted, item_id, self._query.filters, retrieved.catalog_revision, seconds
            ),
        )
        if found is not None:
            self._compare(bundle, found.versions.bundle)
            return found
        everything = replace(shopper, limit=len(candidates))
        shown = rank_as_found(everything, scene, retrieved, self._now, self._sellable)
        return without_ranking(item_id, candidates, shown)

    def _shopper(self, profile: Profile, retrieved: Retrieved) -> ShopperQuery:
        query = self._query
        return ShopperQuery(profile, query.scene, query.context, query.limit, retrieved.interests)

    def _compare(self, found: str, ordered: str) -> None:
        """Says so where candidates and order are of two bundles."""
        if found and ordered not in {found, ""}:
            self.degraded.append(
                Degradation(
                    "bundle",
                    DegradationCode.STALE,
                    f"candidates are of bundle {found} and their order of bundle {ordered}; "
                    "reload the service that lags behind",
                )
            )

    async def _stage(self, name: str, call: Callable[[float], Awaitable[T]], share: float = 1.0) -> T | None:
        """What a service answers in its share of the time that is left; ``None``, and a line in `degraded`, without."""
        degraded, started, found = self.degraded, self._ports.moment(), None
        seconds = (self._end - started) * share
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
            took = max(self._ports.moment() - started, 0.0)
            # A profile tells nothing of itself: whoever reads it reports that beside.
            spent().called(name, took, getattr(found, "stages", ()), failed=found is None)
        return found


def own_versions(config: Config) -> Versions:
    """What the front itself works with."""
    return Versions(server=__version__, config=config.fingerprint)
