"""Searches by inverted lists, against exact ones, while vectors change."""

import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.support.small_bundle import ITEMS
from vitrine.bundle import AttachedBundle, lists, load_bundle, near
from vitrine.bundle.kmeans import centroids_of
from vitrine.bundle.near import NearIndex, like_interests, like_texts
from vitrine.catalog import Catalog
from vitrine.catalog.selections import NARROW, Selection
from vitrine.content.model import Vectors
from vitrine.domain.items import Item
from vitrine.retrieval import nearest as nearest_module
from vitrine.retrieval.nearest import nearest

N, D, LIMIT = 60_000, 16, 200
Mask = npt.NDArray[np.bool_]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause before lists are made in the background."""
    monkeypatch.setattr(near, "PAUSE", 0.0)


@pytest.fixture(scope="module")
def group_of() -> npt.NDArray[np.int64]:
    return np.random.default_rng(3).integers(0, 300, N)


@pytest.fixture(scope="module")
def clustered(group_of: npt.NDArray[np.int64]) -> Vectors:
    """As texts of a shop are: many variants of a few hundred things."""
    rng = np.random.default_rng(4)
    vectors = rng.standard_normal((300, D))[group_of] + 0.3 * rng.standard_normal((N, D))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def shared(clustered: Vectors) -> NearIndex:
    return indexed(clustered)


def indexed(vectors: Vectors, *, background: bool = False) -> NearIndex:
    index = NearIndex("test", threading.Lock(), like_texts, background=background)
    index.follow(lambda: vectors)
    return index


def write(index: NearIndex, vectors: Vectors, rows: list[int], values: npt.NDArray[np.floating]) -> None:
    with index._lock:
        index.changing(np.array(rows, np.int32))
        vectors[rows] = values


def unit(vector: Vectors) -> Vectors:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def asked(allowed: Mask) -> Any:
    return SimpleNamespace(allowed=allowed, selection=Selection(allowed.copy()))


def found(index: NearIndex, vectors: Vectors, target: Vectors, allowed: Mask, limit: int = LIMIT) -> set[int]:
    """What a search finds, once it is sure that it found nothing else than it may and as much as there is."""
    rows, scores = nearest(vectors, target, asked(allowed), limit, index.made)
    assert len(set(rows.tolist())) == len(rows)
    assert len(rows) >= min(limit, int(np.count_nonzero(allowed)))
    assert allowed[rows].all()
    np.testing.assert_allclose(scores, vectors[rows] @ target, atol=1e-5)
    return set(rows[np.argsort(-scores)[:limit]].tolist())


def best(vectors: Vectors, target: Vectors, allowed: Mask, limit: int = LIMIT) -> set[int]:
    rows = np.flatnonzero(allowed)
    return set(rows[np.argsort(-(vectors[rows] @ target))[:limit]].tolist())


def filters(group_of: npt.NDArray[np.int64]) -> dict[str, Mask]:
    rng = np.random.default_rng(5)
    return {
        "everything": np.ones(N, np.bool_),
        "most": rng.random(N) < 0.9,
        "half of the groups": group_of < 150,
        "just too many for a list": rng.random(N) < (NARROW + 1_000) / N,
        "few": rng.random(N) < 0.05,
        "one group": group_of == 7,
        "fewer than wanted": np.arange(N) % 500 == 3,
        "nothing": np.zeros(N, np.bool_),
    }


@pytest.mark.parametrize("which", list(filters(np.zeros(N, np.int64))))
def test_a_filter_works_inside_the_search_so_that_the_list_is_full(
    which: str, clustered: Vectors, shared: NearIndex, group_of: npt.NDArray[np.int64]
) -> None:
    allowed = filters(group_of)[which]
    shares = []
    # Targets that the filter leaves nothing near to are among them.
    for target in like_texts(clustered[::-1]):
        exact = [*best(clustered, target, allowed)]
        worst = (clustered[exact] @ target).min(initial=np.inf)
        products = clustered[[*found(shared, clustered, target, allowed)]] @ target
        # Products so near are equal: they are rounded.
        shares.append(np.count_nonzero(products >= worst - 1e-5) / max(len(exact), 1))
    if np.count_nonzero(allowed) <= NARROW:
        assert min(shares) == 1 or not allowed.any(), "few allowed rows are looked through"
    else:
        assert np.mean(shares) >= 0.98


def test_the_promise_holds_for_other_groups_and_shoppers_than_it_was_measured_with(
    clustered: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine's last bits make other groups; the bound must not hang on those."""
    monkeypatch.setattr(lists, "centroids_of", partial(centroids_of, seed=7))
    index, allowed = indexed(clustered), np.ones(N, np.bool_)
    histories = clustered[np.random.default_rng(99).integers(N, size=(100, 8))]
    shares = []
    for target in histories.mean(axis=1):
        exact = best(clustered, target, allowed)
        shares.append(len(exact & found(index, clustered, target, allowed)) / LIMIT)
    assert np.mean(shares) >= 0.98


def test_it_is_found_in_a_few_lists_of_many(clustered: Vectors, shared: NearIndex) -> None:
    assert shared.made is not None
    made = shared.made.lists
    everything = made.counts(np.arange(N))
    assert made.enough(LIMIT, N, int(everything[-1])) < len(everything) / 3
    enough = [made.enough(limit, N, int(everything[-1])) for limit in (100, LIMIT, 3_000, 20_000, N, 2 * N)]
    assert enough == sorted(enough)
    assert enough[-2:] == [len(everything)] * 2


def of_many_lengths(clustered: Vectors) -> Vectors:
    """As items have them: few are wanted by many."""
    rng = np.random.default_rng(6)
    return np.asarray(clustered * rng.pareto(3.0, (N, 1)) + 0.3 * rng.standard_normal((N, D)), np.float32)


@pytest.mark.parametrize(
    "which", ["everything", "without the longest", "few of the longest", "the shorter half"]
)
def test_the_longest_are_looked_into_first_and_without_them_more_of_the_others(
    which: str, clustered: Vectors
) -> None:
    vectors = of_many_lengths(clustered)
    index = NearIndex("test", threading.Lock(), like_interests, background=False)
    index.follow(lambda: vectors)
    assert index.made is not None
    made = index.made.lists
    everything = made.counts(np.arange(N))
    assert everything[-1] > N / 20, "the longest have a list of their own"
    shortest_first = np.argsort(np.argsort(np.linalg.norm(vectors, axis=1)))
    allowed = {
        "everything": shortest_first >= 0,
        "without the longest": shortest_first < 0.9 * N,
        "few of the longest": (shortest_first < 0.9 * N) | (shortest_first % 10 == 0),
        "the shorter half": shortest_first < N / 2,
    }[which]
    assert made.enough(LIMIT, N, int(everything[-1])) < len(everything) / 3, "else nothing is gained"
    shares = []
    for target in np.random.default_rng(98).standard_normal((60, D)).astype(np.float32):
        exact = best(vectors, target, allowed)
        shares.append(len(exact & found(index, vectors, target, allowed)) / LIMIT)
    assert np.mean(shares) >= 0.98


def test_deep_searches_look_further(clustered: Vectors, shared: NearIndex) -> None:
    allowed = np.ones(N, np.bool_)
    target = like_texts(clustered)[0]
    exact = best(clustered, target, allowed, 30_000)
    assert len(exact & found(shared, clustered, target, allowed, 30_000)) >= 0.95 * 30_000


def test_vectors_that_come_and_change_are_found_at_once(clustered: Vectors) -> None:
    vectors = np.concatenate((clustered, np.zeros((100, D), np.float32)))
    index = indexed(vectors[:N])
    target = unit(like_texts(clustered)[0])
    allowed = np.ones(N + 100, np.bool_)
    first = next(iter(best(vectors, target, allowed, 1)))
    away = int(np.argmin(vectors @ target))

    write(index, vectors, [first], -target[None])
    write(index, vectors, [away, N + 50], np.array([2 * target, 3 * target]))

    assert found(index, vectors, target, allowed, 2) == {N + 50, away}
    assert first not in found(index, vectors, target, allowed)
    # What may no longer be shown is gone at once too.
    allowed[[away, N + 50]] = False
    assert not {away, N + 50} & found(index, vectors, target, allowed)


def test_a_vector_that_changes_during_a_search_is_found_once(
    clustered: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = indexed(clustered.copy())
    made, (target, *_), allowed = index.made, like_texts(clustered), np.ones(N, np.bool_)
    assert made is not None
    changing = np.array([*best(clustered, target, allowed, 5)], np.int32)
    looked = nearest_module._fresh

    def fresh(*arguments: Any) -> Any:
        answer = looked(*arguments)
        made.mark(changing)
        return answer

    monkeypatch.setattr(nearest_module, "_fresh", fresh)
    found(index, clustered, target, allowed)
    assert made.stale[changing].all()


def test_a_table_that_grows_is_read_as_it_is_then(clustered: Vectors) -> None:
    """Whoever waits for the lock must not go on with the table that was there before."""
    lock, tables = threading.Lock(), [clustered[: near.LEAST]]
    index = NearIndex("test", lock, like_texts, background=False)
    with lock:
        waiting = threading.Thread(target=index.follow, args=(lambda: tables[-1],))
        waiting.start()
        tables.append(clustered)
    waiting.join()
    assert index.made is not None
    assert len(index.made.lists) == N


def test_lists_are_made_anew_when_much_is_newer(clustered: Vectors) -> None:
    index = indexed(clustered[:51_000])
    before = index.made
    index.follow(lambda: clustered[:52_000])
    assert index.made is before
    index.follow(lambda: clustered)
    assert index.made is not None
    assert index.made is not before
    assert len(index.made.lists) == N
    before = index.made
    vectors = clustered.copy()
    write(index, vectors, list(range(2_000)), vectors[2_000:4_000])
    index.follow(lambda: vectors)
    assert index.made is not before
    assert len(index.made.changed) == 0


def test_a_search_is_exact_until_lists_are_ready_and_knows_what_changed_meanwhile(clustered: Vectors) -> None:
    vectors, go, began = clustered.copy(), threading.Event(), threading.Event()

    def targets(vectors: Vectors) -> Vectors:
        began.set()
        assert go.wait(10)
        return like_texts(vectors)

    index = NearIndex("test", threading.Lock(), targets, background=True)
    index.follow(lambda: vectors)
    assert began.wait(10)
    target, allowed = unit(like_texts(clustered)[0]), np.ones(N, np.bool_)
    assert found(index, vectors, target, allowed) == best(vectors, target, allowed)
    write(index, vectors, [123], 2 * target[None])
    index.follow(lambda: vectors)
    go.set()
    index.wait(30)
    assert index.made is not None
    assert index.made.stale[123]
    assert 123 in found(index, vectors, target, allowed, 1)


def test_a_closed_index_begins_no_lists(clustered: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "PAUSE", 60.0)
    index = indexed(clustered, background=True)
    index.close()
    index.wait(10)
    assert index.made is None


def test_without_lists_everything_is_looked_through(
    clustered: Vectors, caplog: pytest.LogCaptureFixture
) -> None:
    few = indexed(clustered[: near.LEAST - 1])
    assert few.made is None

    def broken(_: Vectors) -> Vectors:
        raise MemoryError

    index = NearIndex("test", threading.Lock(), broken, background=False)
    index.follow(lambda: clustered)
    assert index.made is None
    assert "searches take longer" in caplog.text
    caplog.clear()
    index.follow(lambda: clustered)
    assert not caplog.text, "what failed is not tried again at every change"
    target, allowed = like_texts(clustered)[0], np.ones(N, np.bool_)
    assert found(index, clustered, target, allowed) == best(clustered, target, allowed)


def test_searches_go_on_while_vectors_change(clustered: Vectors) -> None:
    vectors = clustered.copy()
    index = indexed(vectors)
    target, allowed = like_texts(clustered)[0], np.ones(N, np.bool_)
    wrong: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                rows, _ = nearest(vectors, target, asked(allowed), LIMIT, index.made)
                assert len(set(rows.tolist())) == len(rows) >= LIMIT
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            wrong.append(error)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    rng = np.random.default_rng(8)
    for _ in range(150):
        rows = rng.choice(N, 20, replace=False)
        write(index, vectors, rows.tolist(), vectors[rng.permutation(rows)])
        index.follow(lambda: vectors)
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
    assert found(index, vectors, target, allowed, 20) == best(vectors, target, allowed, 20)


def test_a_bundle_follows_its_catalogue_and_so_does_its_successor(
    bundle_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "LEAST", 500)
    catalog = Catalog(seed=0)
    words = ["red", "blue", "cup", "mug", "plate", "bowl", "small", "large"]
    rng = np.random.default_rng(2)
    titles = [" ".join(rng.choice(words, 3)) for _ in range(1_200)]
    catalog.apply([*ITEMS, *(Item(item_id=f"n{i}", title=title) for i, title in enumerate(titles))], 1)
    first = AttachedBundle(load_bundle(bundle_path), catalog)
    second = AttachedBundle(load_bundle(bundle_path), catalog, background=True)
    second.wait(30)
    first.close()
    catalog.apply([Item(item_id="n7", title="cup cup"), Item(item_id="last", title="cup")], 2)

    content = second.content
    assert content is not None
    assert second.near_content.made is not None
    assert len(second.near_content.made.lists) > len(ITEMS), "what training never saw is in the lists"
    rows, _ = nearest(
        content, content[catalog.rows(["last"])[0]], asked(catalog.sellable), 3, second.near_content.made
    )
    assert {"n7", "last"} <= {catalog.ids[row] for row in rows.tolist()}
