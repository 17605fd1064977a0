"""What is told of items shown together is looked at once."""

import numpy as np
import pytest

from tests.support.rerank import Reranker, make_engine, shopper, window_of
from vitrine.domain.answer import ReasonCode
from vitrine.domain.request import Context
from vitrine.ranking.truths import Truths, _middle


@pytest.mark.parametrize("known", [1, 2, 3, 8, 501, 502])
@pytest.mark.parametrize("missing", [0, 5])
def test_the_middle_is_the_median_of_what_was_said(known: int, missing: int) -> None:
    drawn = np.random.default_rng(known).standard_normal(known).astype(np.float32)
    scores = np.random.default_rng(1).permutation(
        np.concatenate([drawn, np.full(missing, np.nan, np.float32)])
    )
    kept = scores.copy()
    assert np.float32(_middle(scores)) == np.nanmedian(scores)
    np.testing.assert_array_equal(scores, kept)


def test_nothing_is_above_the_middle_of_nothing() -> None:
    nothing = np.full(3, np.nan, np.float32)
    assert not (np.arange(3, dtype=np.float32) > _middle(nothing)).any()
    assert np.isnan(_middle(np.empty(0, np.float32)))


@pytest.mark.parametrize("code", list(ReasonCode))
def test_what_holds_of_an_item_does_not_depend_on_those_beside_it(code: ReasonCode) -> None:
    engine = make_engine(Reranker())
    query = window_of(shopper(), Context(query="mug", item_ids=("i5",)))
    scored = engine.score(query, [engine._config.scenes["home"]])

    def holds(*positions: int) -> list[bool]:
        of = np.array(positions, np.int64)
        true = Truths(0, query.queries[0], scored.batch, of, scored.calls, 30).holds(code)
        return [bool(one) for one in true]

    together = holds(*range(8))
    assert [holds(position)[0] for position in range(8)] == together
    assert holds(6, 1, 4) == [together[6], together[1], together[4]]
