"""Checks of what a part of a plugin does beside answering: to its input, to other threads, with memory and time."""

from vitrine.testing.asking import Asking
from vitrine.testing.measure import growth, milliseconds, together
from vitrine.testing.module import check_budget, fail
from vitrine.testing.watch import parts_of, watched

THREADS = 8
# A plugin that keeps one column of each call is far beyond it.
MOST_GROWTH = 16 * 1024
WARM_CALLS, CALLS = 60, 70
COUNTS = (10, 300, 3_000)


class ConductChecks(Asking):
    """It harms nobody else."""

    def test_it_does_not_change_its_input(self) -> None:
        """Neither arrays nor lists, even where nothing would stop it."""
        part = self._part()
        for what, window in self._windows().items():
            batch, features = watched(self._batch(part, window), writable=True)
            before = parts_of(batch)
            self._answer(part, batch, what, length=len(window.candidates))
            after = parts_of(batch)
            changed = [f"batch.{name}" for name in before if after[name] != before[name]] + features.changed()
            if changed:
                fail(
                    f"`{self._method}` changes {' and '.join(changed)}, which others read after it: work on a copy, "
                    "for example `column = column.copy()` or `column * 2` instead of `column *= 2`"
                )

    def test_it_works_on_read_only_arrays(self) -> None:
        """As the server hands them over, feature columns included."""
        part = self._part()
        for what, window in self._windows().items():
            self._answer(part, watched(self._batch(part, window))[0], what)

    def test_threads_do_not_disturb_each_other(self) -> None:
        """Eight threads at once get what one gets."""
        part, windows = self._part(), self._windows()
        expected = [self._answer(part, self._batch(part, w), what) for what, w in windows.items()]
        rounds = [[self._batch(part, w) for w in windows.values()] * 3 for _ in range(THREADS)]
        answers = together(lambda batch: self._answer(part, batch, "a request beside others"), rounds)
        for answer in answers:
            for got, wanted in zip(answer, expected * 3, strict=True):
                self._same(
                    wanted,
                    got,
                    f"`{self._method}` answers otherwise when several threads call it at once: keep what belongs to a "
                    "call in local variables, not on `self` or in the module",
                )

    def test_it_keeps_no_memory(self) -> None:
        """Once it is warm, some hundred calls leave nothing behind."""
        part = self._part()
        windows = [self._shop().window("buyer", 100, variant=n) for n in range(10)]
        grown, where = growth(
            lambda n: self._call(part, self._batch(part, windows[n % len(windows)])), WARM_CALLS, CALLS
        )
        if grown > MOST_GROWTH:
            fail(
                f"memory grows by {grown / CALLS:,.0f} bytes a call, most of it allocated in {where}: keep nothing of a "
                "batch, or bound what you keep, for example by `functools.lru_cache(maxsize=1000)`"
            )

    def test_it_keeps_to_its_budget(self) -> None:
        """The median time at 10, 300 and 3,000 candidates is within ``budget_ms``, in proportion above 1,000."""
        part = self._part()
        check_budget(getattr(part, "budget_ms", None), "its")
        budget, rows, slow = float(part.budget_ms), list[str](), False
        for count in COUNTS:
            batches = [self._batch(part, self._shop().window("buyer", count, variant=n)) for n in range(8)]
            allowed = budget * max(1.0, count / 1000)
            took = milliseconds(lambda batch: self._call(part, batch), batches, at_most=20 * allowed)
            slow |= took > allowed
            rows.append(f"{count:>12,}{took:>12.2f}{allowed:>12.2f}{'  too slow' if took > allowed else ''}")
        if slow:
            table = "\n".join((f"{'candidates':>12}{'median ms':>12}{'budget ms':>12}", *rows))
            fail(
                f"`{self._method}` takes longer than its budget_ms = {budget:g}, and would be left out of answers: work "
                f"on whole columns instead of item by item, or declare a larger budget\n{table}"
            )
