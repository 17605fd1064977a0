"""Session-based nearest neighbours."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vitrine_export.evaluate.baselines.base import (
    Asked,
    Needs,
    Scores,
    asked_sequences,
    binary,
    dense,
    past_sequences,
)
from vitrine_export.evaluate.baselines.nearest import keep_best
from vitrine_export.evaluate.lists import Sequences
from vitrine_export.evaluate.log import Log

Numbers = npt.NDArray[np.int64]
# The newest items of a query that look for sessions: bounds the work for long histories.
_ITEMS = 50


class SessionKnn:
    """Vector multiplication session kNN, V-SKNN (Ludewig & Jannach 2018, UMUAI 28).

    A past session is as near as the sum of the weights of the query's items that it has, the newest item weighing 1
    and one that is a moments older 1 − a ÷ length; the nearest sessions vote for their items, each with its nearness
    times 1 − b ÷ 10, b the age of the query's newest item that the session has (as in their code, session-rec; 0 from
    10 on).

    Args:
        log: What was taken, in order; a shopper's history is a session.
        neighbours: How many sessions vote.
        sample: How many sessions of each item are looked at, drawn at random: bounds the work for popular items.
        seed: Decides the draw.
    """

    name = "session kNN"
    needs: Needs = "order"

    def __init__(self, log: Log, neighbours: int = 100, sample: int = 500, seed: int = 0) -> None:
        past = past_sequences(log)
        self._sessions = binary(past.counts(log.items))
        self._neighbours = neighbours
        of_item = sp.csr_array(self._sessions.T).astype(np.float64)
        of_item.data = np.random.default_rng(seed).random(of_item.nnz) + 0.5
        self._of_item = keep_best(of_item, sample)

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        asked = asked_sequences(queries, self.name)
        query, item, age = _newest(asked)
        length = np.ones(len(asked), np.int64)
        np.maximum.at(length, asked.queries, asked.ages + 1)
        # Every session of every item of every query, those of one query and session side by side.
        many = np.diff(self._of_item.indptr)[item]
        entry = np.repeat(np.arange(len(item)), many)
        within = np.arange(len(entry)) - np.repeat(np.cumsum(many) - many, many)
        session = self._of_item.indices[self._of_item.indptr[item][entry] + within]
        pair = query[entry] * self._sessions.shape[0] + session
        order = np.argsort(pair, kind="stable")
        pair, entry = pair[order], entry[order]
        starts = np.flatnonzero(np.diff(pair, prepend=-1))
        if not len(starts):
            return np.zeros((len(asked), self._sessions.shape[1]), np.float32)
        nearness = np.add.reduceat((1 - age / length[query])[entry], starts)
        vote = np.maximum.reduceat(np.maximum(1 - age / 10, 0)[entry], starts)
        row, column = np.divmod(pair[starts], self._sessions.shape[0])
        shape = len(asked), self._sessions.shape[0]
        near = sp.csr_array((nearness, column, np.searchsorted(row, np.arange(shape[0] + 1))), shape)
        # Both have the same places, so what is kept of one picks from the other.
        votes = sp.csr_array((vote, near.indices, near.indptr), shape)
        kept = keep_best(near, self._neighbours).multiply(votes)
        return dense(sp.csr_array(kept).astype(np.float32) @ self._sessions)


def _newest(asked: Sequences) -> tuple[Numbers, Numbers, Numbers]:
    """The different items of each query with their smallest age, the newest of them: queries, items, ages."""
    query, item, age = asked.queries, asked.items.astype(np.int64), asked.ages
    order = np.lexsort((age, item, query))
    query, item, age = query[order], item[order], age[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(query) != 0) | (np.diff(item) != 0)
    query, item, age = query[first], item[first], age[first]
    # Items of one moment stand in no order, and never in that of their numbers.
    drawn = np.random.default_rng(0).permutation(int(item.max(initial=0)) + 1)
    order = np.lexsort((drawn[item], age, query))
    query, item, age = query[order], item[order], age[order]
    new = np.arange(len(query)) - np.searchsorted(query, np.arange(len(asked)))[query] < _ITEMS
    return query[new], item[new], age[new]
