"""Baselines against a plain loop, and by hand."""

import itertools
from collections import Counter, defaultdict

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluate.support import asked, log
from vitrine_export.evaluate.baselines import (
    Baseline,
    BuyAgain,
    BuyAgainByRecency,
    Ease,
    GraphFilter,
    ItemKnn,
    MarkovChain,
    Popularity,
    RecentPopularity,
    SequentialRules,
    SessionKnn,
    fit_baselines,
)
from vitrine_export.evaluate.baselines.nearest import keep_best, products
from vitrine_export.evaluate.log import Log

ITEMS = 7
histories = st.lists(st.lists(st.integers(0, ITEMS - 1), min_size=1, max_size=6), min_size=1, max_size=6)


def dense(baseline: Baseline, *queries: list[int]) -> npt.NDArray[np.floating]:
    return np.asarray(baseline.scores(asked(*queries, items=ITEMS)))


def test_popularity_is_the_same_for_everybody() -> None:
    scores = dense(Popularity(log([0, 0, 3], [3, 3], items=ITEMS)), [1], [])
    assert scores.tolist() == [[2, 0, 0, 3, 0, 0, 0]] * 2


def test_recent_popularity_forgets() -> None:
    day = 86_400.0
    past = Log(
        ["u:0"], np.zeros(3, np.int32), np.array([1, 2, 2], np.int32), np.array([0, 50 * day, 60 * day]), 3
    )
    assert RecentPopularity(past, 61 * day).counts.tolist() == [0, 0, 2]
    assert RecentPopularity(past, 61 * day, days=5).counts.tolist() == [0, 0, 1]


def test_buy_again_goes_by_count_then_by_popularity() -> None:
    popular = Popularity(log([4, 4, 4, 5], items=ITEMS))
    scores = dense(BuyAgain(popular), [0, 1, 1])
    assert np.argsort(-scores[0])[:4].tolist() == [1, 0, 4, 5]
    assert scores[0, 2] == 0, "nobody ever took it"


def test_buy_again_by_recency_goes_by_the_last_time_then_by_popularity() -> None:
    popular = Popularity(log([4, 4, 4, 5], items=ITEMS))
    scores = dense(BuyAgainByRecency(popular), [1, 0, 1, 2, 2, 0], [])
    assert np.argsort(-scores[0])[:5].tolist() == [0, 2, 1, 4, 5]
    assert np.argsort(-scores[1])[:2].tolist() == [4, 5]


@settings(deadline=None)
@given(histories, histories)
def test_the_markov_chain_counts_what_comes_next(past: list[list[int]], queries: list[list[int]]) -> None:
    follows: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for items in past:
        for one, then in itertools.pairwise(items):
            follows[one][then] += 1
    expected = np.zeros((len(queries), ITEMS))
    for q, items in enumerate(queries):
        for then, count in follows[items[-1]].items():
            expected[q, then] = count / follows[items[-1]].total()
    np.testing.assert_allclose(dense(MarkovChain(log(*past, items=ITEMS)), *queries), expected, atol=1e-6)


@settings(deadline=None)
@given(histories, histories, st.integers(1, 4))
def test_sequential_rules_look_further(past: list[list[int]], queries: list[list[int]], reach: int) -> None:
    rules: defaultdict[tuple[int, int], float] = defaultdict(float)
    led = Counter(item for items in past for item in items[:-1])
    for items in past:
        for place, one in enumerate(items):
            for distance, then in enumerate(items[place + 1 : place + 1 + reach], 1):
                rules[one, then] += 1 / distance
    expected = np.zeros((len(queries), ITEMS))
    for q, items in enumerate(queries):
        for age, one in enumerate(reversed(items)):
            for then in range(ITEMS):
                expected[q, then] += rules[one, then] / max(led[one], 1) / (1 + age)
    made = SequentialRules(log(*past, items=ITEMS), reach)
    np.testing.assert_allclose(dense(made, *queries), expected, atol=1e-6)


def test_items_of_one_invoice_stand_in_no_order() -> None:
    times = np.array([1.0, 1, 2, 2, 3])
    past = Log(["u:0"], np.zeros(5, np.int32), np.array([0, 1, 2, 3, 0], np.int32), times, ITEMS)
    made = MarkovChain(past)
    np.testing.assert_allclose(dense(made, [0])[0, :4], [0, 0, 1, 1])
    np.testing.assert_allclose(dense(made, [2])[0, :4], [1, 0, 0, 0])
    # A basket of both leads half and half.
    basket = asked([0, 2], items=ITEMS, times=[5.0, 5.0])
    np.testing.assert_allclose(np.asarray(made.scores(basket))[0, :4], [0.5, 0, 0.5, 0.5])


@settings(deadline=None)
@given(histories, histories)
def test_session_knn_agrees_with_a_plain_loop(past: list[list[int]], queries: list[list[int]]) -> None:
    expected = np.zeros((len(queries), ITEMS))
    for q, items in enumerate(queries):
        age = {item: len(items) - 1 - place for place, item in enumerate(items)}
        for session in map(set, past):
            shared = session & age.keys()
            if shared:
                near = sum(1 - age[item] / len(items) for item in shared)
                vote = near * max(1 - min(age[item] for item in shared) / 10, 0)
                expected[q, list(session)] += vote
    made = SessionKnn(log(*past, items=ITEMS))
    np.testing.assert_allclose(dense(made, *queries), expected, atol=1e-5)


def test_session_knn_asks_the_nearest_sessions_only() -> None:
    past = log([0, 1, 5], [0, 6], [2, 3], items=ITEMS)
    assert np.flatnonzero(dense(SessionKnn(past, neighbours=1), [1, 0])[0]).tolist() == [0, 1, 5]
    assert dense(SessionKnn(past), [4], []).any() == np.False_


@settings(deadline=None)
@given(histories)
def test_item_knn_agrees_with_a_plain_loop(past: list[list[int]]) -> None:
    taken = np.zeros((len(past), ITEMS))
    for user, items in enumerate(past):
        taken[user, items] = 1
    weight = 1 / np.maximum(taken.sum(1), 1)
    norm = np.sqrt(weight @ taken)
    together = taken.T @ (weight[:, None] * taken) / (np.outer(norm, norm) + 10 * weight.mean())
    np.fill_diagonal(together, 0)
    scores = dense(ItemKnn(log(*past, items=ITEMS)), [0, 1, 1])
    np.testing.assert_allclose(scores[0], together[0] + together[1], atol=1e-6)


def test_ease_solves_its_equation() -> None:
    rng = np.random.default_rng(0)
    past = [rng.permutation(ITEMS)[:4].tolist() for _ in range(30)]
    taken = np.zeros((30, ITEMS))
    for user, items in enumerate(past):
        taken[user, items] = 1
    gram = taken.T @ taken
    inverse = np.linalg.inv(gram + 0.5 * np.diagonal(gram).mean() * np.eye(ITEMS))
    weights = -inverse / np.diagonal(inverse)
    np.fill_diagonal(weights, 0)
    scores = dense(Ease(log(*past, items=ITEMS), ridge=0.5), [2, 2, 5], [])
    np.testing.assert_allclose(scores[0], weights[2] + weights[5], rtol=1e-4, atol=1e-5)
    assert not scores[1].any()


def test_the_graph_filter_adds_what_the_leading_vectors_say() -> None:
    rng = np.random.default_rng(0)
    past = [rng.permutation(ITEMS)[:3].tolist() for _ in range(40)]
    taken = np.zeros((40, ITEMS))
    for user, items in enumerate(past):
        taken[user, items] = 1
    users = taken.sum(0)
    linear = taken / np.sqrt(3) / np.sqrt(users)
    _, _, right = np.linalg.svd(taken / np.sqrt(3) / users**0.3)
    leading = right[:2]
    query = np.zeros(ITEMS)
    query[[1, 4]] = 1
    low = (query / users**0.3) @ leading.T @ leading * users**0.3
    scores = dense(GraphFilter(log(*past, items=ITEMS), rank=2), [1, 4])
    np.testing.assert_allclose(scores[0], query @ linear.T @ linear + 0.3 * low, atol=1e-4)


@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize("order", [True, False])
def test_what_the_data_lack_is_off(times: bool, order: bool) -> None:
    past = log([0, 1, 2], [1, 2], items=ITEMS)
    made = list(fit_baselines(past, 0.0, times=times, order=order))
    needs = {baseline.needs for baseline in made}
    assert ("times" in needs, "order" in needs) == (times, order)
    assert len({baseline.name for baseline in made}) == len(made)
    plain = asked([0, 1], items=ITEMS)
    plain.sequences = None
    for baseline in made:
        if baseline.needs == "order":
            with pytest.raises(ValueError, match="goes by order"):
                baseline.scores(plain)
        else:
            assert baseline.scores(plain).shape == (1, ITEMS)


def test_what_must_not_be_repeated_is_not_bought_again() -> None:
    names = {
        b.name for b in fit_baselines(log([0, 1], items=ITEMS), 0.0, times=False, order=True, repeats=False)
    }
    assert names == {"popularity", "item kNN", "Markov chain", "sequential rules", "session kNN", "EASE"}


@settings(max_examples=20, deadline=None)
@given(histories, st.permutations(range(ITEMS)))
def test_what_items_are_called_changes_nothing(past: list[list[int]], called: list[int]) -> None:
    query = past[0]
    other = [[called[i] for i in items] for items in past]
    for one, again in zip(
        fit_baselines(log(*past, items=ITEMS), 0.0, times=False, order=True),
        fit_baselines(log(*other, items=ITEMS), 0.0, times=False, order=True),
        strict=True,
    ):
        scores, renamed = dense(one, query)[0], dense(again, [called[i] for i in query])[0]
        np.testing.assert_allclose(renamed[called], scores, atol=1e-5, err_msg=one.name)


def test_every_answer_is_a_new_array() -> None:
    query = asked([0, 1], items=ITEMS)
    for baseline in fit_baselines(log([0, 1, 2], [1, 2], items=ITEMS), 0.0, times=False, order=True):
        first = np.asarray(baseline.scores(query)).copy()
        baseline.scores(query)[:] = -1
        np.testing.assert_array_equal(baseline.scores(query), first)
        assert query.history.toarray()[0, :3].tolist() == [1, 1, 0]


def test_products_come_in_blocks_and_the_best_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from vitrine_export.evaluate.baselines import nearest

    monkeypatch.setattr(nearest, "_BLOCK", 10)
    rng = np.random.default_rng(1)
    left, right = (sp.csr_array(rng.random((20, n)) * (rng.random((20, n)) < 0.4)) for n in (9, 8))
    blocks = list(products(left, right))
    assert len(blocks) > 2
    whole = left.T @ right
    assert [start for start, _ in blocks] == np.cumsum([0] + [b.shape[0] for _, b in blocks[:-1]]).tolist()
    np.testing.assert_allclose(np.vstack([b.toarray() for _, b in blocks]), whole.toarray())
    kept = keep_best(sp.csr_array(whole), 3).toarray()
    for row, best in zip(whole.toarray(), kept, strict=True):
        expected = np.sort(row[row > 0])[-3:]
        assert np.sort(best[best > 0]).tolist() == expected.tolist()


def test_equals_at_the_edge_are_not_kept_by_number() -> None:
    kept = keep_best(sp.csr_array(np.ones((1, 200))), 20)
    assert len(kept.indices) == 20
    assert set(kept.indices.tolist()) not in ({*range(20)}, {*range(180, 200)})
