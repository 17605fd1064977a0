"""Vectors of candidates are gathered once a batch, and never taken for those of another one."""

import numpy as np

from tests.unit.features.test_sequence import SEEN, attached, batch_of, catalog, shopper
from vitrine.bundle import AttachedBundle
from vitrine.catalog import Catalog
from vitrine.features.vectors import content_of, gather, interest_of

__all__ = ["attached", "catalog"]


def test_they_are_gathered_once_and_anew_for_another_batch(
    catalog: Catalog, attached: AttachedBundle
) -> None:
    lists = [["blue", "nothing", "late"], ["red"]]
    batch = batch_of(lists, [shopper(SEEN)] * 2, catalog, attached)
    found = content_of(batch, attached)
    assert found is not None
    assert content_of(batch, attached) is found
    assert found.blank.tolist() == [1]
    assert not found.vectors.flags.writeable
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), [1, 0, 1, 1], rtol=1e-5)
    other = content_of(batch_of([["red"]], [shopper(SEEN)], catalog, attached), attached)
    assert other is not None
    np.testing.assert_array_equal(other.vectors[0], found.vectors[3])
    interest, table = interest_of(batch, attached), attached.interest_vectors
    assert interest is not None
    assert table is not None
    np.testing.assert_array_equal(interest.vectors, table[batch.items.rows])


def test_rows_without_a_vector_are_zero() -> None:
    table = np.arange(1, 7, dtype=np.float32).reshape(3, 2)
    rows = np.array([2, -1, 0, 3], np.int32)
    assert gather(table, rows).tolist() == [[5, 6], [0, 0], [1, 2], [0, 0]]
    assert gather(table, rows[:1]).tolist() == [[5, 6]]
    assert gather(table[:0], rows).tolist() == [[0, 0]] * 4
