"""What is computed when it is first asked for."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

from vitrine.domain.lazy import lazy


@dataclass(frozen=True)
class Doubled:
    value: int
    asked: list[int]
    barrier: Barrier

    @lazy
    def twice(self) -> int:
        """Twice the value."""
        self.asked.append(self.value)
        self.barrier.wait(10)
        return 2 * self.value


def test_it_is_computed_once_for_each_instance() -> None:
    asked: list[int] = []
    one, other = Doubled(1, asked, Barrier(1)), Doubled(2, asked, Barrier(1))
    assert asked == []
    assert [one.twice, other.twice, one.twice, other.twice] == [2, 4, 2, 4]
    assert asked == [1, 2]
    assert Doubled.twice.__doc__ == "Twice the value."


def test_instances_are_computed_at_the_same_time() -> None:
    barrier = Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        # Each waits for the other.
        found = threads.map(lambda value: Doubled(value, [], barrier).twice, (1, 2))
        assert list(found) == [2, 4]
