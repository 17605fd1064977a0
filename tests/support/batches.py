"""Small batches."""

import numpy as np

from tests.support.shop import make_catalog
from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import Profile
from vitrine.plugin import Batch
from vitrine.ranking import RankingQuery, ShopperQuery
from vitrine.ranking.batch import make_batch


def batch_of(n: int) -> Batch:
    """One query with n candidates that no source stands behind, for a shopper of whom nothing is known."""
    candidates = Candidates.of_items([f"i{i}" for i in range(n)])
    query = RankingQuery(0.0, (ShopperQuery(Profile(), "home"),), candidates, np.array([0, n], np.int64))
    return make_batch(query, make_catalog(n), None, {})
