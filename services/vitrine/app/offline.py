"""A shop in memory: the serving code over a data set, without gRPC, for batches and for evaluation."""

import weakref
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from vitrine import __version__
from vitrine.app.combine import combine
from vitrine.app.memory import Memory
from vitrine.bundle import AttachedBundle, Bundle
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.domain.answer import Versions
from vitrine.domain.candidates import Ranked, RankedList, Retrieved
from vitrine.domain.columns import Column
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.features import columns_of
from vitrine.hosting import Plugin, discover
from vitrine.progress import Progress, quiet
from vitrine.ranking import RankingEngine, RankingQuery, Scored, ShopperQuery
from vitrine.recommendation.fallback import rank_as_found
from vitrine.recommendation.query import Window, WindowQuery
from vitrine.recommendation.recommender import window_items
from vitrine.retrieval import RetrievalQuery, Retriever


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found for one query, and how it was ordered (``ranked`` holds one list)."""

    query: WindowQuery
    profile: Profile
    retrieved: Retrieved
    ranked: Ranked

    @property
    def ordered(self) -> RankedList:
        """The ordered list."""
        return self.ranked.lists[0]

    @property
    def item_ids(self) -> list[str]:
        """The items, best first."""
        ids = self.retrieved.candidates.item_ids
        return [ids[position] for position in self.ordered.positions.tolist()]


class OfflineShop:
    """Answers as a server does that has recorded the events of a data set.

    What a server adds to that (deadlines, stand-ins for services that are gone) has no place here.

    Attributes:
        config: Scenes, weights, half-lives.
        memory: Catalogue, profiles, popularity.
        bundle: The models; ``None`` for none.
    """

    def __init__(
        self,
        config: Config,
        memory: Memory,
        bundle: AttachedBundle | None,
        plugins: Sequence[Plugin] | None = None,
    ) -> None:
        self.config = config
        self.memory = memory
        self.bundle = bundle
        self._plugins = discover(apart=config.runs_apart) if plugins is None else plugins
        catalog = memory.store.catalog
        self._retriever = Retriever(catalog, memory.popularity, bundle, config, memory.store)
        self._engine = RankingEngine(catalog, bundle, config, self._plugins)

    @classmethod
    def open(
        cls,
        dataset: Dataset,
        config: Config,
        bundle: Bundle | None = None,
        *,
        until: float | None = None,
        early: bool = False,
        subjects: Collection[str] | None = None,
        popular: Dataset | None = None,
        progress: Progress = quiet,
        plugins: Sequence[Plugin] | None = None,
    ) -> Self:
        """A shop that has taken in a data set; arguments and errors as for `Memory.of`, models, and plugins if not all."""
        memory = Memory.of(
            dataset, config, until=until, early=early, subjects=subjects, popular=popular, progress=progress
        )
        attached = None if bundle is None else AttachedBundle(bundle, memory.store.catalog)
        return cls(config, memory, attached, plugins)

    def variant(self, config: Config) -> "OfflineShop":
        """The same shop with other scenes; the half-lives of its memory stay as they are."""
        other = OfflineShop(config, self.memory, self.bundle, self._plugins)
        # Nobody closes a variant, and its plugins may have processes of their own.
        weakref.finalize(other, other._engine.close)
        return other

    @property
    def now(self) -> float:
        """The moment of the last event, or up to which the shop was filled; Unix seconds."""
        return self.memory.now

    @property
    def versions(self) -> Versions:
        """What answers are made with."""
        return self._engine.versions

    def profile(self, subject: Subject | None) -> Profile:
        """What is known of a shopper; nothing for ``None``."""
        return Profile() if subject is None else self.memory.profiles.get(subject)

    def answers(
        self,
        queries: Sequence[WindowQuery],
        now: float | None = None,
        *,
        reasons: bool = True,
        include: Sequence[Sequence[str]] = (),
    ) -> list[Answer]:
        """What q queries get: candidates one by one, ranking together.

        Args:
            queries: For whom, and which window.
            now: The moment to answer for, Unix seconds; that of the shop unless told.
            reasons: Whether to tell why items are there, which costs as much as finding them.
            include: Items of each query that are ranked among its candidates, found or not.

        Raises:
            InvalidInput: A scene is not configured.
            NotFound: The catalogue does not have an item that is to be included.
        """
        moment = self.now if now is None else now
        shoppers, retrieved = self._found(queries, moment, include)
        ranked = self._rank(shoppers, retrieved, moment, reasons=reasons)
        profiles = [shopper.profile for shopper in shoppers]
        return [Answer(*parts) for parts in zip(queries, profiles, retrieved, ranked, strict=True)]

    def contributed(self, plugins: Iterable[str]) -> tuple[dict[str, tuple[Column, ...]], dict[str, str]]:
        """The columns of each of some plugins that contributes any here, and why others do not."""
        rankers = self._engine.rankers
        blocks = {name: rankers.blocks[name] for name in plugins if name in rankers.blocks}
        return {name: columns_of(name, block.columns) for name, block in blocks.items()}, dict(
            rankers.blocks_off
        )

    def scored(
        self, queries: Sequence[WindowQuery], now: float | None = None, *, features: Iterable[str] = ()
    ) -> Scored:
        """The candidates of q queries with the scores of the scenes' rankers.

        Args:
            queries: As for `answers`.
            now: As for `answers`.
            features: Plugins whose feature columns are wanted, beside those that the rankers read.
        """
        moment = self.now if now is None else now
        shoppers, retrieved = self._found(queries, moment)
        candidates, offsets = combine([r.candidates for r in retrieved])
        scenes = [self.config.scenes[q.scene] for q in queries]
        query = RankingQuery(moment, tuple(shoppers), candidates, offsets)
        return self._engine.score(query, scenes, blocks=features)

    def recommend(self, query: WindowQuery, now: float | None = None) -> Window:
        """The window that a server answers with; arguments as for `answers`."""
        moment = self.now if now is None else now
        (answer,) = self.answers([query], moment)
        retrieved, ranked = answer.retrieved, answer.ranked
        return Window(
            items=window_items(query, retrieved.candidates, ranked),
            request_id=query.request_id,
            request_time=moment,
            versions=Versions(
                bundle=ranked.versions.bundle or retrieved.versions.bundle,
                server=__version__,
                config=self.config.fingerprint,
                plugins=ranked.versions.plugins,
            ),
            degraded=(*retrieved.degraded, *ranked.degraded),
            profile_watermark=answer.profile.watermark,
        )

    def close(self) -> None:
        """Lets go of the catalogue in memory."""
        self._engine.close()
        if self.bundle is not None:
            self.bundle.close()
        self.memory.store.close()

    def _found(
        self, queries: Sequence[WindowQuery], now: float, include: Sequence[Sequence[str]] = ()
    ) -> tuple[list[ShopperQuery], list[Retrieved]]:
        """Who asks, and the candidates of each."""
        shoppers = [ShopperQuery(self.profile(q.subject), q.scene, q.context, q.limit) for q in queries]
        retrieved = [
            self._retriever.retrieve(
                RetrievalQuery(now, shopper.profile, q.context, q.filters, q.scene, include=tuple(more))
            )
            for q, shopper, more in zip(queries, shoppers, include or [()] * len(queries), strict=True)
        ]
        return shoppers, retrieved

    def _rank(
        self, shoppers: Sequence[ShopperQuery], retrieved: Sequence[Retrieved], now: float, *, reasons: bool
    ) -> list[Ranked]:
        found = [i for i, r in enumerate(retrieved) if len(r.candidates)]
        # What a server answers with where nothing was found.
        ranked = [
            rank_as_found(shopper, self.config.scenes[shopper.scene], r, now, lambda _: True)
            if len(r.candidates) == 0
            else Ranked((), (), self.versions)
            for shopper, r in zip(shoppers, retrieved, strict=True)
        ]
        if found:
            candidates, offsets = combine([retrieved[i].candidates for i in found])
            together = self._engine.rank(
                RankingQuery(now, tuple(shoppers[i] for i in found), candidates, offsets, reasons=reasons)
            )
            for i, one in zip(found, together.lists, strict=True):
                ranked[i] = Ranked([one], together.score_names, together.versions, together.degraded)
        return ranked
