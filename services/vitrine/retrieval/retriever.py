"""Candidates for a request: the sources of its scene, merged."""

import logging
from collections.abc import Mapping
from difflib import get_close_matches

import numpy as np

import vitrine
from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.catalog.columns import Rows
from vitrine.catalog.searchable import Searchable
from vitrine.config import Config
from vitrine.domain.answer import Degradation, DegradationCode, Versions
from vitrine.domain.candidates import Candidates, Retrieved
from vitrine.domain.stages import Laps
from vitrine.errors import ConfigError, InvalidInput, NotFound, Timeout
from vitrine.retrieval.best import best
from vitrine.retrieval.merge import merge
from vitrine.retrieval.popularity import Popularity
from vitrine.retrieval.query import RetrievalQuery, SourceQuery
from vitrine.retrieval.sources import (
    BoughtAgain,
    Content,
    CoVisitation,
    Factors,
    Follows,
    Found,
    Interest,
    Linear,
    NewArrivals,
    Popular,
    Search,
    SeenAgain,
    Source,
    SourceOff,
    Trending,
    Visits,
)

_log = logging.getLogger(__name__)
_DEFAULT_LIMIT = 500
# Stands in where nothing was found. A name of its own: what is newest here may have come in years ago.
_NEWEST = "newest"


class Retriever:
    """Asks the sources of a scene and merges what they find. Any thread may call it.

    Attributes:
        bundle: The models that sources read; replaced as a whole, and read once a request.
    """

    def __init__(
        self,
        catalog: Catalog,
        popularity: Popularity,
        bundle: AttachedBundle | None,
        config: Config,
        store: Searchable,
    ) -> None:
        self.bundle = bundle
        self.catalog = catalog
        self._config = config
        self._fingerprint = config.fingerprint
        self._popularity = popularity
        found: tuple[Source, ...] = (
            Popular(popularity),
            Trending(popularity),
            CoVisitation(),
            BoughtAgain(popularity),
            Interest(),
            Content(),
            NewArrivals(config.retrieval.new_arrival_days),
            Search(store.text),
            Follows(),
            Visits(),
            SeenAgain(),
            Linear(),
            Factors(),
        )
        self._sources = {source.name: source for source in found}
        for scene, settings in config.scenes.items():
            for name in settings.sources:
                if name not in self._sources:
                    raise ConfigError(f"scenes.{scene}.sources: unknown source '{name}'; {self._known(name)}")

    def retrieve(self, query: RetrievalQuery) -> Retrieved:
        """Candidates, best first as far as the sources tell. One source that fails is left out and named.

        Raises:
            InvalidInput: Unknown scene or source; names it and what is known.
            NotFound: The catalogue does not have an item that is to be included.
        """
        laps = Laps()
        sources, limit = self._plan(query)
        revision, bundle = self.catalog.revision, self.bundle
        columns = self.catalog.columns
        include = self._included(query, len(columns))
        versions = Versions(
            bundle="" if bundle is None else bundle.version,
            server=vitrine.__version__,
            config=self._fingerprint,
        )
        if len(columns) == 0:
            nothing = Candidates.of_items([])
            return Retrieved(nothing, revision, versions, (_EMPTY_CATALOG,))
        selection = self.catalog.selection(query.filters)
        allowed = selection.mask[: len(columns)]
        out = [*query.filters.exclude, *self._unwanted(query)]
        if out:
            rows = self.catalog.rows(out, len(columns))
            allowed = allowed.copy()
            allowed[rows[rows >= 0]] = False
        asked = SourceQuery(
            query.request_time,
            query.profile,
            query.context,
            self.catalog,
            revision,
            columns,
            allowed,
            selection,
            bundle,
            self._config.retrieval.max_seeds,
            self._config.profile.visit_gap,
        )
        degraded: list[Degradation] = []
        laps.lap("retrieval")
        found = {}
        for name, n in sources.items():
            found[name] = self._ask(name, asked, n, degraded)
            laps.lap(f"source:{name}")
        if not any(len(f.rows) for f in found.values()) and not ("search" in found and query.context.query):
            self._stand_in(found, asked, limit, degraded)
        candidates = merge(
            list(found),
            list(found.values()),
            self.catalog.ids,
            columns.tie,
            limit,
            self._popularity,
            query.request_time,
            include,
        )
        laps.lap("merge")
        return Retrieved(candidates, revision, versions, tuple(degraded), laps.stages, asked.interests_asked)

    def _unwanted(self, query: RetrievalQuery) -> list[str]:
        """What is not looked for: what the shopper hid, or all that the shopper knows where the scene leaves that out.

        Ranking would leave it out in any case; here it would take the places of others, and in training hide from
        rankers of rankers what the best of the rest are.
        """
        items = query.profile.items
        scene = self._config.scenes.get(query.scene)
        if scene is not None and scene.rules.exclude_seen:
            return list(items.item_ids)
        return [items.item_ids[i] for i in (items.opinion < 0).nonzero()[0].tolist()]

    def _included(self, query: RetrievalQuery, size: int) -> Rows:
        if not query.include:
            return _NO_ROWS
        rows = self.catalog.rows(query.include, size)
        for index in np.flatnonzero(rows < 0).tolist():
            raise NotFound(
                f"include_item_ids[{index}]", f"the catalogue has no item '{query.include[index]}'"
            )
        return rows

    def _plan(self, query: RetrievalQuery) -> tuple[Mapping[str, int], int]:
        """Which sources to ask for how many, and how many to answer."""
        scene = self._config.scenes.get(query.scene)
        if scene is None and (query.scene or query.sources is None):
            known = ", ".join(self._config.scenes)
            raise InvalidInput("scene", f"unknown scene '{query.scene}'; known: {known}")
        limit = query.limit or (scene.candidates if scene else _DEFAULT_LIMIT)
        if query.sources is None:
            return scene.active_sources if scene else {}, limit
        for index, name in enumerate(query.sources):
            if name not in self._sources:
                raise InvalidInput(f"sources[{index}].name", f"unknown source '{name}'; {self._known(name)}")
        return query.sources, limit

    def _known(self, name: str) -> str:
        near = get_close_matches(name, self._sources, n=1)
        return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(self._sources)}"

    def _ask(self, name: str, query: SourceQuery, limit: int, degraded: list[Degradation]) -> Found:
        try:
            return self._sources[name].find(query, limit)
        except SourceOff as off:
            degraded.append(Degradation(f"source:{name}", off.code, off.message))
        except Timeout:
            _log.warning("source %s did not answer in time", name)
            degraded.append(
                Degradation(
                    f"source:{name}",
                    DegradationCode.TIMEOUT,
                    "the source did not answer within its time budget",
                )
            )
        except Exception:  # noqa: BLE001 (one source must not cost the whole answer)
            _log.exception("source %s failed", name)
            degraded.append(
                Degradation(
                    f"source:{name}", DegradationCode.FAILED, "the source failed; see the server's log"
                )
            )
        return Found(np.empty(0, np.int32), np.empty(0, np.float32))

    def _stand_in(
        self, found: dict[str, Found], query: SourceQuery, limit: int, degraded: list[Degradation]
    ) -> None:
        """What to show where the sources found nothing: the popular or, before anyone did anything, the newest."""
        popular = self._ask("popular", query, limit, [])
        what = "popular"
        if len(popular.rows):
            found["popular"] = popular
        else:
            what = "the newest"
            rows = np.flatnonzero(query.allowed).astype(np.int32)
            rows = rows[best(query.columns.created[rows], query.columns.tie[rows], limit)]
            found[_NEWEST] = Found(rows, (1.0 / np.arange(1, len(rows) + 1)).astype(np.float32))
            if len(rows) == 0:
                degraded.append(_NOTHING_ALLOWED)
                return
        degraded.append(
            Degradation(
                "retrieval", DegradationCode.EMPTY, f"no source found anything; {what} items stand in"
            )
        )


_NO_ROWS: Rows = np.empty(0, np.int32)
_EMPTY_CATALOG = Degradation(
    "catalog",
    DegradationCode.EMPTY,
    "the catalogue is empty: load items with UpsertItems or `vitrine load`",
)
_NOTHING_ALLOWED = Degradation(
    "retrieval",
    DegradationCode.EMPTY,
    "no item that can be bought passes the filters; ask with fewer of them",
)
