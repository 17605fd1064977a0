"""The breaker opens after repeated failures, lets one call try, and waits longer after each try that fails."""

from vitrine.hosting.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_after_so_many_failures_among_the_last_calls() -> None:
    breaker = Breaker(3, 10, Clock())
    for outcome in (False, True, False, True):
        assert breaker.allows()
        if outcome:
            breaker.worked()
        else:
            assert not breaker.failed()
    assert breaker.failed()
    assert breaker.is_open
    assert not breaker.allows()
    assert breaker.wait == 10


def test_failures_that_lie_far_apart_do_not_open_it() -> None:
    breaker = Breaker(2, 10, Clock())
    for _ in range(5):
        assert not breaker.failed()
        for _ in range(20):
            breaker.worked()
    assert not breaker.is_open


def test_one_call_tries_and_closes_it() -> None:
    clock = Clock()
    breaker = Breaker(1, 10, clock)
    assert breaker.failed()
    clock.now = 9.9
    assert not breaker.allows()
    clock.now = 10
    assert breaker.allows()
    assert not breaker.allows(), "only one tries"
    breaker.worked()
    assert not breaker.is_open
    assert breaker.allows()


def test_each_try_that_fails_doubles_the_wait_up_to_sixteen_times() -> None:
    clock = Clock()
    breaker = Breaker(1, 1, clock)
    breaker.failed()
    waits = [breaker.wait]
    for _ in range(6):
        clock.now += breaker.wait
        assert breaker.allows()
        assert breaker.failed()
        waits.append(breaker.wait)
    assert waits == [1, 2, 4, 8, 16, 16, 16]


def test_calls_that_had_begun_before_it_opened_neither_close_it_nor_lengthen_the_wait() -> None:
    breaker = Breaker(1, 10, Clock())
    assert breaker.failed()
    assert not breaker.failed()
    breaker.worked()
    assert breaker.wait == 10
    assert breaker.is_open
