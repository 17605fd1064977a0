"""Training the interest model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.interest.conftest import KINDS, PER_KIND, settings, shop
from vitrine.domain.events import EventType
from vitrine.domain.profile import ItemHistory, Profile, RecentEvents
from vitrine.domain.request import Context
from vitrine.errors import InvalidInput
from vitrine.inference import OnnxModel
from vitrine.interest import InterestModel, encoder_inputs, shoppers_of
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.interest import FittedInterest, fit_interest, train_interest

NOW = 200 * 86_400.0
ITEMS = KINDS * PER_KIND
# One number a kind, and a little noise.
CONTENT = np.repeat(np.eye(KINDS, dtype=np.float32), PER_KIND, axis=0)


@pytest.fixture(scope="module")
def fitted(events: Interactions) -> FittedInterest:
    """Exporting takes most of the time here, so it is done once."""
    found = fit_interest(events, CONTENT, settings(epochs=10), seed=0)
    assert found is not None
    return found


def served(fitted: FittedInterest) -> InterestModel:
    return InterestModel(OnnxModel(fitted.model.data), fitted.vectors, fitted.projection, fitted.length)


def profile(*items: int, opinion: int = 0) -> Profile:
    n = len(items)
    ids = [str(i) for i in items]
    times = np.linspace(NOW - 86_400 - 60 * n, NOW - 86_400, n)
    weights = np.full(n, 8.0)
    return Profile(
        event_count=n,
        items=ItemHistory(
            ids,
            times,
            times,
            np.zeros(n),
            np.zeros(n),
            np.ones(n),
            np.ones(n),
            weights,
            weights,
            np.full(n, np.nan, np.float32),
            np.full(n, opinion, np.int8),
        ),
        recent=RecentEvents(ids, np.full(n, int(EventType.PURCHASE), np.int8), times),
    )


def rows_of(ids: list[str]) -> np.ndarray:
    return np.array([int(i) if int(i) < ITEMS else -1 for i in ids], np.int32)


def kinds_of(model: InterestModel, *profiles: Profile, context: Context | None = None) -> list[int]:
    """The kind that the best ten items of each shopper are mostly of."""
    contexts = [context or Context()] * len(profiles)
    interest = model.encode(shoppers_of(profiles, contexts, NOW, rows_of)).interest  # type: ignore[arg-type]
    best = np.argsort(-(interest @ model.vectors.T), axis=1)[:, :10] // PER_KIND
    return [int(np.bincount(row).argmax()) for row in best]


def test_it_foresees_the_next_visit(fitted: FittedInterest) -> None:
    assert fitted.metric is not None
    assert fitted.metric > 0.4, "the ten items of the right kind alone give more"
    losses = [epoch.loss for epoch in fitted.curve.epochs]
    assert losses[-1] < losses[0]
    assert fitted.curve.epochs[fitted.epochs - 1].metric == fitted.metric
    model = served(fitted)
    assert kinds_of(model, *(profile(10 * k, 10 * k + 1, 10 * k + 2) for k in range(KINDS - 1))) == list(
        range(1, KINDS)
    ), "the next visit is about the next kind"


def test_the_context_counts_as_the_latest(fitted: FittedInterest) -> None:
    # A page or a basket of one kind is followed by that kind, in the same visit, or by the next one.
    model = served(fitted)
    for kind in range(KINDS):
        item = (str(10 * kind + 1),)
        for context in (Context(item_ids=item), Context(basket=item)):
            assert kinds_of(model, Profile(), context=context)[0] in {kind, (kind + 1) % KINDS}


def test_a_shopper_without_events_has_no_interest(fitted: FittedInterest) -> None:
    model = served(fitted)
    found = model.encode(
        shoppers_of(
            [Profile(), profile(3), profile(999), profile(5, opinion=-1)],
            [Context()] * 4,
            NOW,
            rows_of,  # type: ignore[arg-type]
        )
    )
    for vectors in found:
        assert vectors.dtype == np.float32
        assert vectors.any(axis=1).tolist() == [False, True, False, False], (
            "unknown and hidden items are none"
        )
    nobody = model.encode(shoppers_of([], [], NOW, rows_of))  # type: ignore[arg-type]
    assert nobody.interest.shape == (0, 16)


def test_alone_or_with_others_a_shopper_has_the_same_interest(fitted: FittedInterest) -> None:
    model = served(fitted)
    profiles = [profile(*range(n)) for n in (1, 3, 7, 12, 40)]
    shoppers = shoppers_of(profiles, [Context()] * 5, NOW, rows_of)  # type: ignore[arg-type]
    together = model.encode(shoppers).interest
    for one, interest in zip(profiles, together, strict=True):
        alone = model.encode(shoppers_of([one], [Context()], NOW, rows_of)).interest  # type: ignore[arg-type]
        np.testing.assert_allclose(alone[0], interest, rtol=1e-4, atol=1e-5)


def test_the_projection_alone_knows_a_new_item(fitted: FittedInterest) -> None:
    assert fitted.projection is not None
    model = served(fitted)
    interest = model.encode(shoppers_of([profile(20, 21)], [Context()], NOW, rows_of)).interest[0]  # type: ignore[arg-type]
    new = np.eye(KINDS, dtype=np.float32) @ fitted.projection
    assert int(np.argmax(new @ interest)) == 3


def test_the_same_seed_gives_the_same_bits(events: Interactions) -> None:
    small = settings(epochs=2)
    one, two, other = (train_interest(events, CONTENT, small, seed=seed) for seed in (3, 3, 4))
    assert one
    assert two
    assert other
    np.testing.assert_array_equal(one.vectors, two.vectors)
    assert one.curve.best_metric == two.curve.best_metric
    assert not np.array_equal(one.vectors, other.vectors)


def test_going_on_from_a_checkpoint_is_the_same_as_never_having_stopped(
    events: Interactions, tmp_path: Path
) -> None:
    small = settings(epochs=4)
    whole = train_interest(events, CONTENT, small, seed=0)

    class Stopped(Exception):
        pass

    def stop(text: str, share: float) -> None:
        if "epoch 2 of 4" in text and share >= 0.95 / 2:
            raise Stopped

    with pytest.raises(Stopped):
        train_interest(events, CONTENT, small, seed=0, progress=stop, checkpoint=tmp_path / "c")
    parts = train_interest(events, CONTENT, small, seed=0, checkpoint=tmp_path / "c")
    assert whole
    assert parts
    np.testing.assert_array_equal(whole.vectors, parts.vectors)
    assert [(e.loss, e.metric) for e in whole.curve.epochs] == [
        (e.loss, e.metric) for e in parts.curve.epochs
    ]
    # And once more: nothing is left to do.
    again = train_interest(events, CONTENT, small, seed=0, checkpoint=tmp_path / "c")
    assert again
    np.testing.assert_array_equal(again.vectors, parts.vectors)
    with pytest.raises(InvalidInput, match=r"resume: the checkpoint in .* was made with another task"):
        train_interest(shop(seed=5), CONTENT, small, seed=0, checkpoint=tmp_path / "c")


def test_nothing_held_out_means_a_fixed_number_of_epochs(events: Interactions) -> None:
    found = train_interest(events, None, settings(epochs=2), seed=0, hold_out=False)
    assert found
    assert (found.curve.best_metric, found.curve.best, found.projection) == (None, 2, None)


def test_a_sampled_loss_learns_too(events: Interactions) -> None:
    found = train_interest(events, None, settings(full_softmax_items=10, negatives=64), seed=0)
    assert found
    assert found.curve.best_metric is not None
    assert found.curve.best_metric > 0.35


def test_without_times_ages_are_off(events: Interactions) -> None:
    found = train_interest(replace(events, times=None), None, settings(epochs=2), seed=0)
    assert found
    shoppers, _ = found.timeline.shoppers(found.examples, np.random.default_rng(0))
    feeds = {n: torch.from_numpy(a) for n, a in encoder_inputs(shoppers, found.vectors, 20).items()}
    with torch.no_grad():
        interest = found.network.encoder(**feeds)[2]
        aged = found.network.encoder(**(feeds | {"ages": feeds["ages"] + 60}))[2]
        other = found.network.encoder(**(feeds | {"history": feeds["history"] + 1}))[2]
    assert torch.equal(interest, aged)
    assert not torch.allclose(interest, other)


def test_a_time_limit_keeps_what_was_best_by_then(events: Interactions) -> None:
    texts: list[str] = []
    found = train_interest(
        events, None, settings(epochs=50, time_limit=1.0), seed=0, progress=lambda text, _: texts.append(text)
    )
    assert found
    assert found.curve.stopped == "time"
    assert len(found.curve.epochs) < 50
    assert found.curve.best_metric is not None
    assert "NDCG@20" in texts[-1]
    assert "CPU" in texts[-1]


def test_too_little_to_learn_from_is_no_model() -> None:
    assert train_interest(shop(shoppers=1), None, settings(), seed=0) is None
    empty = shop(shoppers=3).where(np.zeros(len(shop(shoppers=3)), np.bool_))
    assert train_interest(empty, None, settings(), seed=0) is None


def test_what_was_held_out_is_learned_from_in_the_end(events: Interactions) -> None:
    quick = settings(epochs=2)
    once = fit_interest(events, None, quick, 0)
    twice = fit_interest(events, None, quick, 0, again=True)
    assert once is not None
    assert twice is not None
    # How good it is and when to stop was told by the part that was held out…
    assert [e.metric for e in twice.curve.epochs] == [e.metric for e in once.curve.epochs]
    assert (twice.metric, twice.epochs) == (once.metric, once.epochs)
    # …and what serves has seen it.
    assert twice.examples > once.examples
    whole = fit_interest(events, None, replace(quick, epochs=once.epochs), 0, hold_out=False)
    assert whole is not None
    np.testing.assert_array_equal(twice.vectors, whole.vectors)
