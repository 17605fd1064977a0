"""Training examples: what training shows the model is what serving shows it, and nothing of what is to be foreseen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.interest.conftest import DAY, settings, shop
from tests.unit.train.conftest import shop as dataset_of
from vitrine.app.memory import Memory
from vitrine.config import load_config
from vitrine.domain.events import EventType
from vitrine.domain.request import Context
from vitrine.domain.subject import Subject
from vitrine.interest import Shoppers, shoppers_of
from vitrine_export.train.interactions import Interactions, read_interactions
from vitrine_export.train.interest.examples import Examples, Timeline


def test_training_sees_what_serving_sees(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "shop")
    table = dataset.items()
    assert table is not None
    ids = table["item_id"].to_list()
    row_of = {item_id: row for row, item_id in enumerate(ids)}
    events = read_interactions(dataset, ids, None)
    assert events.times is not None
    cut = float(np.median(events.times))
    memory = Memory.of(dataset, load_config(), until=cut)
    names = list(dict.fromkeys(dataset.events().collect()["user_id"].to_list()))
    known = np.unique(events.subjects[events.times < cut])
    served = shoppers_of(
        [memory.profiles.get(Subject.from_key(f"u:{names[s]}")) for s in known],
        [Context()] * len(known),
        cut,
        lambda wanted: np.array([row_of[i] for i in wanted], np.int32),
    )

    # One more event of each shopper at the cut, which asks.
    extra = len(known)
    asked = Interactions(
        np.concatenate((events.subjects[events.times < cut], known)).astype(np.int32),
        np.concatenate((events.items[events.times < cut], np.zeros(extra))).astype(np.int32),
        np.ones((events.times < cut).sum() + extra),
        np.concatenate((events.times[events.times < cut], np.full(extra, cut))),
        events.subject_count,
        events.item_count,
        np.concatenate((events.types[events.times < cut], np.full(extra, 2))).astype(np.int8),
    )
    timeline = Timeline(asked, settings(length=200), seed=0)
    last = np.flatnonzero(timeline.time == cut)
    trained, _ = timeline.shoppers(_at(timeline, last), np.random.default_rng(0))

    np.testing.assert_array_equal(trained.event_offsets, served.event_offsets)
    np.testing.assert_array_equal(trained.event_rows, served.event_rows)
    np.testing.assert_array_equal(trained.event_types, served.event_types)
    np.testing.assert_allclose(trained.event_ages, served.event_ages, atol=1e-5)
    np.testing.assert_array_equal(trained.history_offsets, served.history_offsets)
    for q in range(len(served)):
        own = slice(served.history_offsets[q], served.history_offsets[q + 1])
        mine, theirs = np.argsort(trained.history_rows[own]), np.argsort(served.history_rows[own])
        np.testing.assert_array_equal(trained.history_rows[own][mine], served.history_rows[own][theirs])
        np.testing.assert_allclose(
            trained.history_weights[own][mine], served.history_weights[own][theirs], rtol=1e-9
        )


def _at(timeline: Timeline, cut: np.ndarray) -> Examples:
    begin = np.searchsorted(timeline.subject, timeline.subject[cut])
    return Examples(begin, cut, cut, cut + 1, cut + 1, np.zeros(len(cut)))


def _equal(one: Shoppers, other: Shoppers) -> None:
    for name in Shoppers.__slots__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_next_visit_leaves_no_trace_in_the_input(events: Interactions) -> None:
    timeline = Timeline(events, settings(), seed=0)
    every = np.ones(len(timeline.visits) - 1, np.bool_)
    examples = timeline.next_visits(every)
    assert len(examples) > 500
    before, targets = timeline.shoppers(examples, np.random.default_rng(0))
    assert np.bincount(targets.example).min() == 3, "three different items a visit"
    other = np.random.default_rng(9)
    for example in np.arange(0, len(examples), 50):
        one = examples.take(np.array([example]))
        inside = np.flatnonzero(events.subjects == timeline.subject[one.cut[0]])
        assert events.times is not None
        late = inside[events.times[inside] >= timeline.time[one.cut[0]]]
        items = events.items.copy()
        items[late] = other.integers(0, events.item_count, len(late))
        changed = Timeline(replace(events, items=items), settings(), seed=0)
        seen, _ = changed.shoppers(one, np.random.default_rng(0))
        alone, _ = timeline.shoppers(one, np.random.default_rng(0))
        _equal(alone, seen)
    assert len(before) == len(examples)


def test_what_is_given_of_a_visit_is_no_target(events: Interactions) -> None:
    # All events of a visit at one moment, as on an invoice.
    assert events.times is not None
    tied = replace(events, times=np.floor(events.times / DAY) * DAY)
    for source in (events, tied):
        timeline = Timeline(source, settings(), seed=0)
        every = np.ones(len(timeline.visits) - 1, np.bool_)
        examples = timeline.within_visits(every, np.random.default_rng(1))
        shoppers, targets = timeline.shoppers(examples, np.random.default_rng(2))
        size = np.diff(shoppers.event_offsets)
        assert (examples.visit <= examples.cut).all()
        given = 0
        for example in range(len(examples)):
            own = slice(shoppers.event_offsets[example], shoppers.event_offsets[example + 1])
            now = shoppers.event_ages[own] == 0
            assert set(shoppers.event_types[own][now].tolist()) <= {EventType.ADD_TO_CART, EventType.VIEW}
            mine = targets.item[targets.example == example]
            assert not set(shoppers.event_rows[own][now].tolist()) & set(mine.tolist())
            given += int(now.sum())
            # What is new in this visit: neither given nor seen earlier in it.
            visit = np.arange(examples.visit[example], examples.end[example])
            assert set(mine.tolist()) <= set(timeline.item[visit].tolist())
        assert given > 100
        assert size.max() <= settings().length + 3


def test_without_times_every_event_is_a_visit_in_the_order_of_the_data() -> None:
    events = shop(dated=False, shoppers=20)
    timeline = Timeline(events, settings(), seed=0)
    assert not timeline.dated
    for subject in range(20):
        np.testing.assert_array_equal(
            timeline.item[timeline.subject == subject], events.items[events.subjects == subject]
        )
    late = timeline.late_visits()
    assert late.sum() == 20
    examples = timeline.next_visits(late)
    _, targets = timeline.shoppers(examples, np.random.default_rng(0))
    last = [events.items[events.subjects == s][-1] for s in range(20)]
    np.testing.assert_array_equal(targets.item, last)


@pytest.mark.parametrize("seed", [0, 1])
def test_events_of_one_moment_stand_in_no_telling_order(seed: int) -> None:
    n = 2000
    events = Interactions(
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
        np.ones(n),
        np.zeros(n),
        1,
        n,
        np.full(n, 6, np.int8),
    )
    assert abs(np.corrcoef(Timeline(events, settings(), seed).item, np.arange(n))[0, 1]) < 0.1
