"""Interests of a profile, which a thread remembers, against computing them each time."""

from concurrent.futures import ThreadPoolExecutor
from weakref import ref

import numpy as np
import pytest

from vitrine.domain.profile import DAY, Counters, ItemHistory, Profile, decay

NOW = 1.7e9


def someone(seed: int) -> Profile:
    rng = np.random.default_rng(seed)
    n = 20
    times = NOW - rng.random(n) * 100 * DAY

    def counters(k: int) -> Counters:
        return Counters(
            tuple(map(str, range(k))), np.ones(k), rng.normal(1, 1, k), rng.normal(1, 1, k), times[:k]
        )

    return Profile(
        version=seed,
        items=ItemHistory(
            item_ids=tuple(map(str, range(n))),
            last_time=times,
            long_term=rng.normal(1, 1, n),
            short_term=rng.normal(1, 1, n),
            opinion=rng.integers(-1, 2, n).astype(np.int8),
        ),
        categories=counters(9),
        brands=counters(5),
    )


def check(profile: Profile, now: float) -> None:
    items = profile.items
    for short, half_life in ((False, profile.long_half_life), (True, profile.short_half_life)):
        weights = items.short_term if short else items.long_term
        expected = np.where(
            items.opinion < 0, 0.0, np.maximum(decay(weights, items.last_time, now, half_life), 0.0)
        )
        np.testing.assert_array_equal(profile.interest(now, short=short), expected)
        for kept in (profile.categories, profile.brands):
            weights = kept.short_term if short else kept.long_term
            expected = np.maximum(decay(weights, kept.last_time, now, half_life), 0.0)
            np.testing.assert_array_equal(profile.counted(kept, now, short=short), expected)


def test_what_is_remembered_is_of_this_profile_and_moment() -> None:
    one, other = someone(1), someone(2)
    for moment in range(40):
        for profile in (one, other, one, one):
            check(profile, NOW + moment % 7 * DAY)
            check(profile, NOW - moment * DAY)


def test_it_is_computed_once_and_nobody_writes_to_it() -> None:
    profile = someone(3)
    interest = profile.interest(NOW)
    assert profile.interest(NOW) is interest
    with pytest.raises(ValueError, match="read-only"):
        interest[0] = 1.0


def test_a_thread_that_waits_keeps_nothing_of_a_shopper() -> None:
    with ThreadPoolExecutor(1) as thread:
        profile = someone(5)
        interest = ref(thread.submit(profile.interest, NOW).result())
        items, whole = ref(profile.items.long_term), ref(profile)
        # The thread lets go of what it did last with the next it does.
        thread.submit(len, ()).result()
        assert interest() is not None, "remembered for as long as the profile is there"
        del profile
        assert (whole(), items(), interest()) == (None, None, None)


def test_threads_do_not_disturb_each_other() -> None:
    profiles = [someone(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        for _ in threads.map(lambda k: check(profiles[k % 4], NOW + k % 3), range(400)):
            pass
