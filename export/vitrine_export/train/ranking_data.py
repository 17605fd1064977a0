"""Lists as the serving code makes them, with what became of each candidate: what rankers of rankers learn from."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from vitrine.app.offline import OfflineShop
from vitrine.domain.answer import Degradation
from vitrine.domain.columns import Column, keys_of, plugins_in
from vitrine.domain.request import Context
from vitrine.domain.subject import Subject
from vitrine.progress import Progress, quiet
from vitrine.recommendation.query import WindowQuery
from vitrine_export.exams import LabelQuery
from vitrine_export.train.interest_columns import CollectedInterests, InterestColumns

# Queries ranked together: beyond that, nothing gets faster.
_BATCH = 32


@dataclass(frozen=True, slots=True)
class RankingData:
    """q lists with n candidates in all.

    Attributes:
        names: Names of the f feature columns.
        features: ``float32[n, f]``.
        labels: ``int8[n]``, 1 for a candidate that the shopper took.
        offsets: ``int64[q + 1]``; list i owns candidates ``offsets[i]`` to ``offsets[i + 1]``.
        subjects: Who each list is for.
        window: ``int8[q]``, which label window each list is of, the oldest first.
        missed: ``int32[q]``, targets that no source found.
        vectors: What the interest model says of the same candidates; ``None`` without one.
        contributed: Those of the columns that plugins contribute, by name.
        weights: What the scene weighs rankers, and ``source:NAME``, with.
    """

    names: tuple[str, ...]
    features: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int8]
    offsets: npt.NDArray[np.int64]
    subjects: list[str]
    window: npt.NDArray[np.int8]
    missed: npt.NDArray[np.int32]
    vectors: InterestColumns | None = None
    contributed: Mapping[str, Column] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def keys(self) -> list[str]:
        """What pins the columns in a bundle."""
        return keys_of(self.names, self.contributed)

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """``int64[q]``: candidates of each list."""
        return np.diff(self.offsets)

    @classmethod
    def joined(cls, parts: Sequence["RankingData"]) -> "RankingData":
        """The lists of several windows, one after the other."""
        if len(parts) == 1:
            return parts[0]
        sizes = np.concatenate([part.sizes for part in parts])
        return cls(
            parts[0].names,
            np.concatenate([part.features for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            [subject for part in parts for subject in part.subjects],
            np.concatenate([np.full(len(part), w, np.int8) for w, part in enumerate(parts)]),
            np.concatenate([part.missed for part in parts]),
            InterestColumns.joined([part.vectors for part in parts]),
            parts[0].contributed,
            parts[0].weights,
        )

    def without(self, columns: Collection[str]) -> "RankingData":
        """The lists without some columns."""
        kept = [i for i, name in enumerate(self.names) if name not in columns]
        names = tuple(self.names[i] for i in kept)
        contributed = {name: c for name, c in self.contributed.items() if name not in columns}
        features = np.ascontiguousarray(self.features[:, kept])
        return replace(self, names=names, features=features, contributed=contributed)

    def take(self, lists: npt.NDArray[np.intp]) -> "RankingData":
        """Some of the lists."""
        return self._chosen(_rows(self.offsets, lists), self.sizes[lists], lists)

    def thinned(self, negatives: int, seed: int) -> "RankingData":
        """Every positive and at most so many other candidates of each list, drawn at random; lists with none of either go."""
        rng = np.random.default_rng(seed)
        draw = rng.random(len(self.labels), np.float32)
        draw[self.labels > 0] = -1
        owner = np.repeat(np.arange(len(self)), self.sizes)
        order = np.lexsort((draw, owner))
        place = np.arange(len(order)) - np.repeat(self.offsets[:-1], self.sizes)
        positives = np.bincount(owner, self.labels > 0, len(self))
        keep = np.sort(order[place < (positives + negatives)[owner]])
        useful = (positives > 0) & (positives < self.sizes)
        keep = keep[useful[owner[keep]]]
        sizes = np.bincount(owner[keep], minlength=len(self))[useful]
        return self._chosen(keep, sizes, np.flatnonzero(useful))

    def _chosen(
        self, rows: npt.NDArray[np.integer], sizes: npt.NDArray[np.int64], lists: npt.NDArray[np.intp]
    ) -> "RankingData":
        """Some candidates of some lists, of which each keeps so many."""
        return RankingData(
            self.names,
            self.features[rows],
            self.labels[rows],
            np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            [self.subjects[i] for i in lists.tolist()],
            self.window[lists],
            self.missed[lists],
            None if self.vectors is None else self.vectors.take(rows, lists),
            self.contributed,
            self.weights,
        )


def ranking_data(
    shop: OfflineShop,
    queries: Sequence[LabelQuery],
    names: tuple[str, ...],
    progress: Progress = quiet,
    contributed: Mapping[str, Column] | None = None,
    saw: Callable[[Sequence[Degradation]], None] = lambda _: None,
) -> RankingData:
    """Candidates, features and labels of some queries, as of the moment the shop was filled up to.

    Args:
        shop: Models that have seen nothing of the answers.
        queries: The questions.
        names: Feature columns.
        progress: Told how far it is.
        contributed: More of them, which plugins contribute, by name.
        saw: Told what was missing.
    """
    more = dict(contributed or {})
    names += tuple(more)
    features, labels, sizes, missed = [], [], [], []
    vectors = CollectedInterests(None if shop.bundle is None else shop.bundle.interest_vectors)
    for start in range(0, len(queries), _BATCH):
        some = queries[start : start + _BATCH]
        asked = [
            WindowQuery(Subject.from_key(q.subject), q.scene, context=Context(basket=q.basket)) for q in some
        ]
        scored = shop.scored(asked, features=plugins_in(more))
        saw(scored.degraded)
        batch = scored.batch
        features.append(batch.features.matrix(names))
        vectors.add(batch)
        for i, query in enumerate(some):
            ids = batch.items.ids[int(batch.offsets[i]) : int(batch.offsets[i + 1])]
            hits = np.fromiter((item in query.targets for item in ids), np.int8, len(ids))
            labels.append(hits)
            sizes.append(len(ids))
            missed.append(len(query.targets) - int(hits.sum()))
        progress("lists to learn from", (start + len(some)) / len(queries))
    return RankingData(
        names,
        np.concatenate(features) if features else np.empty((0, len(names)), np.float32),
        np.concatenate(labels) if labels else np.empty(0, np.int8),
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        [query.owner or query.subject for query in queries],
        np.zeros(len(queries), np.int8),
        np.array(missed, np.int32),
        vectors.columns(),
        more,
    )


def _rows(offsets: npt.NDArray[np.int64], lists: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    starts, sizes = offsets[lists], np.diff(offsets)[lists]
    begin = np.cumsum(sizes) - sizes
    return np.repeat(starts - begin, sizes) + np.arange(int(sizes.sum()))
