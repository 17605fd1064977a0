"""Sources that read the latest events in their order."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.retrieval.small_shop import NOW, Shop, columns, history
from vitrine.domain.answer import DegradationCode
from vitrine.domain.profile import Profile, RecentEvents
from vitrine.domain.request import Context


def recently(*ids: str, minutes: tuple[float, ...] = ()) -> Profile:
    """Views, the latest last; a minute apart, or so many minutes ago."""
    ago = np.array(minutes or range(len(ids), 0, -1), float)
    times = NOW - 60 * ago
    return replace(history(*ids), recent=RecentEvents(ids, np.full(len(ids), 2, np.int8), times))


def test_what_follows_counts_from_the_latest_event_and_the_context_is_later_still(shop: Shop) -> None:
    found = columns(shop.ask("follows", profile=recently("i0", "i3")), "follows")
    assert found == pytest.approx({"i3": 0.3 + 0.8 * 0.5, "i4": 0.2, "i2": 0.8 * 0.25})
    found = columns(shop.ask("follows", profile=recently("i3", "i0")), "follows")
    assert found == pytest.approx({"i3": 0.5 + 0.8 * 0.3, "i2": 0.25, "i4": 0.8 * 0.2})
    paged = shop.ask("follows", profile=recently("i3"), context=Context(item_ids=("i0",)))
    assert columns(paged, "follows") == found
    again = columns(shop.ask("follows", profile=recently("i0", "i3", "i0")), "follows")
    assert again == pytest.approx(found), "an item counts once, where it came last"


def test_visits_start_from_the_visit_that_goes_on_or_else_from_the_latest_events(shop: Shop) -> None:
    both = columns(shop.ask("visits", profile=recently("i3", "i0")), "visits")
    assert set(both) == {"i0", "i1", "i3", "i5", "i6"}, "i9 is out of stock"
    assert max(both, key=lambda item: both[item]) == "i0"
    paused = recently("i3", "i0", minutes=(60, 1))
    assert set(columns(shop.ask("visits", profile=paused), "visits")) == {"i0", "i1", "i6"}
    before = recently("i3", minutes=(60,))
    assert set(columns(shop.ask("visits", profile=before), "visits")) == {"i3", "i5"}


def test_a_visit_of_items_newer_than_the_bundle_leaves_the_word_to_earlier_events(shop: Shop) -> None:
    assert shop.bundle is not None
    rows = np.array(shop.bundle.bundle_rows)
    rows[shop.catalog.rows(["i0"])] = -1
    vars(shop.bundle)["bundle_rows"] = rows
    paused = recently("i3", "i0", minutes=(60, 1))
    assert set(columns(shop.ask("visits", profile=paused), "visits")) == {"i3", "i5"}
    newer = columns(shop.ask("follows", profile=recently("i3", "i0")), "follows")
    assert newer == columns(shop.ask("follows", profile=recently("i3")), "follows")


def test_what_was_met_lately_comes_back_latest_first_without_a_bundle(shop: Shop) -> None:
    shop.bundle = None
    profile = recently("i1", "i4", "i1", "i9", "i2")
    assert list(columns(shop.ask("seen_again", profile=profile), "seen_again")) == ["i2", "i1", "i4"]
    paged = shop.ask("seen_again", 2, profile=profile, context=Context(item_ids=("i6",)))
    assert list(columns(paged, "seen_again")) == ["i6", "i2"]


def test_factors_find_what_is_like_the_latest_items() -> None:
    found = columns(Shop().ask("factors", 9, profile=recently("i6", "i3")), "factors")
    assert list(found) == ["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8"]
    assert found["i0"] == pytest.approx(1)
    assert found["i5"] == pytest.approx(0.7 * 0.5)


@pytest.mark.parametrize("source", ["follows", "visits", "factors"])
def test_sources_of_order_are_off_without_their_part_and_empty_for_strangers(shop: Shop, source: str) -> None:
    shop.buy(i3=1)
    stranger = shop.ask(source)
    assert [d.code for d in stranger.degraded] == [DegradationCode.EMPTY]
    assert columns(stranger, "popular")
    for bundle in (None, shop.bundle):
        if bundle is not None:
            setattr(bundle.bundle, source, None)
        shop.bundle = bundle
        off = shop.ask(source, profile=recently("i0"))
        assert [d.component for d in off.degraded if d.code is DegradationCode.OFF] == [f"source:{source}"]
