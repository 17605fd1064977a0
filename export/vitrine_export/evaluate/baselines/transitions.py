"""What is taken after what: methods that go by the order of each history."""

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vitrine_export.evaluate.baselines.base import (
    Asked,
    Needs,
    Scores,
    asked_sequences,
    dense,
    past_sequences,
)
from vitrine_export.evaluate.baselines.nearest import keep_best, products
from vitrine_export.evaluate.lists import Sequences
from vitrine_export.evaluate.log import Log, Matrix

# Followers kept of each item: bounds the memory where moments are large invoices.
_MOST = 500


class MarkovChain:
    """First-order forward Markov chain: what follows the last item, or the items of the last moment.

    Over sets (Rendle, Freudenthaler & Schmidt-Thieme, "Factorizing Personalized Markov Chains", WWW 2010, Markov chains
    for sets): p(i | l) is the share of the moments with l, of those that have a next one, after which i comes next; a
    query's score is the mean over the items of its last moment.

    Args:
        log: What was taken, in order.
    """

    name = "Markov chain"
    needs: Needs = "order"

    def __init__(self, log: Log) -> None:
        self._next = _transitions(past_sequences(log), log.items, 1)

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        asked = asked_sequences(queries, self.name)
        return dense(_weighted(asked, (asked.ages == 0).astype(np.float64), self._next.shape[0]) @ self._next)


class SequentialRules:
    """Sequential rules (Ludewig & Jannach 2018, "Evaluation of session-based recommendation algorithms", UMUAI 28).

    Their SR: l → i counts 1 ÷ d for every time that i came d moments after l, d ≤ ``reach``, as a share of the times that
    l led anywhere. They ask the last item alone; here every item of the query leads, weighing 1 ÷ (1 + age) with the age
    of the newest moment 0, which is the stronger baseline (on sessions held out of RetailRocket's training file).

    Args:
        log: What was taken, in order.
        reach: The furthest that a rule looks ahead, in moments.
    """

    name = "sequential rules"
    needs: Needs = "order"

    def __init__(self, log: Log, reach: int = 10) -> None:
        self._rules = _transitions(past_sequences(log), log.items, reach)

    def scores(self, queries: Asked) -> Scores:
        """See `Baseline`."""
        asked = asked_sequences(queries, self.name)
        return dense(_weighted(asked, 1 / (1 + asked.ages), self._rules.shape[0]) @ self._rules)


def _transitions(past: Sequences, items: int, reach: int) -> Matrix:
    """``float32[n, n]``: Σ over distances d of 1 ÷ d for each pair, as shares of the moments that led anywhere."""
    new = _begins(past)
    moment = np.cumsum(new) - 1
    count = int(moment[-1]) + 1 if len(moment) else 0
    held = sp.csr_array((np.ones(len(moment)), (moment, past.items)), (count, items))
    held.sum_duplicates()
    held.data[:] = 1
    owner = past.queries[new]
    total = sp.csr_array((items, items))
    led = np.zeros(items)  # moments with the item that have a next one
    for distance in range(1, reach + 1):
        before = np.flatnonzero(owner[distance:] == owner[:-distance])
        if not len(before):
            break
        first, then = held[before], held[before + distance]
        parts = [keep_best(block, _MOST) for _, block in products(first, then)]
        total += sp.vstack(parts, format="csr") / distance
        if distance == 1:
            led = np.asarray(first.sum(0)).ravel()
    shares = sp.diags_array(1 / np.maximum(led, 1)) @ total
    return sp.csr_array(shares).astype(np.float32)


def _weighted(asked: Sequences, weights: npt.NDArray[np.float64], items: int) -> Matrix:
    """``float32[q, n]``: the entries of each query by weight, those of one moment sharing it."""
    moment = np.cumsum(_begins(asked)) - 1
    share = (weights / np.bincount(moment)[moment] if len(moment) else weights).astype(np.float32)
    return sp.csr_array(sp.coo_array((share, (asked.queries, asked.items)), (len(asked), items)))


def _begins(sequences: Sequences) -> npt.NDArray[np.bool_]:
    """``bool[m]``: whether an entry is the first of its moment."""
    new = np.ones(len(sequences.items), np.bool_)
    new[1:] = (np.diff(sequences.moments) != 0) | (np.diff(sequences.queries) != 0)
    return new
