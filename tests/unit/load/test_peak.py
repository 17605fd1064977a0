"""The search finds the highest rate that is held, in few runs, wherever it begins."""

import pytest

from tests.load.peak import confirm, search


@pytest.mark.parametrize("peak", [1, 3, 40, 100, 777])
@pytest.mark.parametrize("start", [0.6, 0.9, 1.0, 1.3, 2.0])
def test_the_peak_is_found_up_to_five_percent(peak: int, start: float) -> None:
    asked: list[int] = []

    def held(rate: int) -> bool:
        asked.append(rate)
        return rate <= peak

    found = search(held, start * peak)
    assert peak / 1.05 - 1 < found <= peak
    assert len(asked) <= 12


def test_a_server_that_holds_nothing_has_no_peak() -> None:
    assert search(lambda _: False, 100) == 0


def test_a_server_that_holds_everything_is_not_asked_without_end() -> None:
    asked: list[int] = []

    def held(rate: int) -> bool:
        asked.append(rate)
        return True

    assert search(held, 100) == asked[-1]
    assert len(asked) == 8


def test_a_peak_that_a_longer_run_does_not_hold_comes_down() -> None:
    assert confirm(lambda rate: rate <= 100, 100) == 100
    assert 90 <= confirm(lambda rate: rate <= 100, 109) <= 100
    assert confirm(lambda _: False, 100) == 0
    assert confirm(lambda _: True, 0) == 0
