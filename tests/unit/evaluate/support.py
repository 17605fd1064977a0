"""Short ways to write lists and sets down."""

from dataclasses import dataclass

import numpy as np

from vitrine_export.evaluate.lists import ItemSets, Lists, Sequences
from vitrine_export.evaluate.log import Log, Matrix


def sets(*queries: list[int]) -> ItemSets:
    pairs = [(q, item) for q, items in enumerate(queries) for item in items]
    query, item = np.array(pairs, np.int64).reshape(-1, 2).T
    return ItemSets.of_pairs(query, item, len(queries))


def lists(*queries: list[int], k: int) -> Lists:
    return Lists.of([(np.array(q, np.int32), np.ones(len(q), np.float32)) for q in queries], k)


@dataclass
class Asked:
    """Queries as far as baselines look at them."""

    history: Matrix
    sequences: Sequences | None


def asked(*queries: list[int], items: int, times: list[float] | None = None) -> Asked:
    query = np.repeat(np.arange(len(queries)), [len(q) for q in queries])
    taken = np.array([i for q in queries for i in q], np.int32)
    moments = None if times is None else np.array(times)
    made = Sequences.of_rows(query, taken, len(queries), moments)
    return Asked(made.counts(items), made)


def log(*users: list[int], items: int) -> Log:
    """Undated, in order."""
    user = np.repeat(np.arange(len(users)), [len(u) for u in users]).astype(np.int32)
    item = np.array([i for u in users for i in u], np.int32)
    return Log([f"u:{n}" for n in range(len(users))], user, item, np.zeros(len(user)), items)
