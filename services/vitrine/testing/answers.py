"""Checks of what a part of a plugin answers."""

import numpy as np

from vitrine.testing.asking import Asking
from vitrine.testing.clock import a_year_later


class AnswerChecks(Asking):
    """It answers every request that servers meet, always the same, and alike for what is alike."""

    def test_a_request_without_candidates(self) -> None:
        """It answers nothing, alone and among others, and does not fail."""
        shop, part = self._shop(), self._part()
        nobody, some = shop.window("buyer", 0), shop.window("browser", 20)
        self._answer(
            part, self._batch(part, nobody), "a request without candidates, whose answer has length 0"
        )
        self._answer(part, self._batch(part, some, nobody, some), "a request without candidates among others")

    def test_a_single_candidate(self) -> None:
        """It answers one number."""
        part = self._part()
        for shopper in ("buyer", "browser"):
            self._answer(part, self._batch(part, self._shop().window(shopper, 1)), "a single candidate")

    def test_unknown_shoppers(self) -> None:
        """It answers for a shopper with an empty profile, and for one who knows only items that are gone."""
        part = self._part()
        for shopper, what in (
            ("stranger", "a shopper of whom nothing is known: the history is empty there"),
            ("lapsed", "a shopper whose items are all gone: they have row −1 there"),
        ):
            self._answer(part, self._batch(part, self._shop().window(shopper, 20)), what)

    def test_unknown_items(self) -> None:
        """It answers for candidates, and for items of the basket, that the catalogue does not know."""
        shop, part = self._shop(), self._part()
        mixed = shop.window("browser", 30, about="basket", unknown=10)
        self._answer(part, self._batch(part, mixed), "some unknown items: they have row −1")
        alone = shop.window("browser", 5, unknown=5)
        self._answer(part, self._batch(part, alone), "nothing but unknown items: they have row −1")

    def test_answers_are_finite_float32_of_the_right_length(self) -> None:
        """A float32 for each candidate, never infinite, and NaN only where that is allowed."""
        part = self._part()
        for what, window in self._windows().items():
            self._answer(part, self._batch(part, window), what)

    def test_the_same_batch_gets_the_same_answer(self) -> None:
        """To the last bit, however often it is asked."""
        part = self._part()
        for what, window in self._windows().items():
            batch = self._batch(part, window)
            first = self._answer(part, batch, what)
            for again in (batch, self._batch(part, window)):
                self._same(
                    first,
                    self._answer(part, again, what),
                    f"`{self._method}` answers {what} otherwise when it is asked again: compute from the batch alone, "
                    "with a seeded generator instead of chance and `batch.request_time` instead of the clock",
                    tolerance=0,
                )

    def test_the_clock_does_not_matter(self) -> None:
        """A replay a year later, or with the clock stopped, answers the same: `Batch.request_time` is the time."""
        part = self._part()
        for what, window in self._windows().items():
            batch = self._batch(part, window)
            now, again = (self._answer(part, batch, what) for _ in range(2))
            if any(again[name].tobytes() != column.tobytes() for name, column in now.items()):
                continue  # no clock is to blame: the test above has failed
            with a_year_later(self.plugin):
                later = self._answer(part, batch, what)
            self._same(
                now,
                later,
                f"`{self._method}` answers {what} otherwise a year later: go by `batch.request_time`, not by the clock",
                tolerance=0,
            )

    def test_parts_made_anew_agree(self) -> None:
        """Two that were made from the same bundle and settings answer the same: a server makes them anew."""
        one, other = self._part(), self._part()
        for what, window in self._windows().items():
            self._same(
                self._answer(one, self._batch(one, window), what),
                self._answer(other, self._batch(other, window), what),
                f"two that `{self._hook}` made of the same things answer {what} differently: seed what is drawn when "
                "it is made, and do not go by the order of a set",
                tolerance=0,
            )

    def test_a_batch_equals_its_requests_one_by_one(self) -> None:
        """Within 1e-5: what one shopper gets does not depend on who asks at the same time."""
        part, windows = self._part(), list(self._windows().values())
        whole = self._answer(part, self._batch(part, *windows), "a batch of requests")
        single = [self._answer(part, self._batch(part, w), "one request of a batch") for w in windows]
        self._same(
            {name: np.concatenate([answer[name] for answer in single]) for name in whole},
            whole,
            "a batch of requests is answered otherwise than its requests one by one: work within each query, whose "
            "candidates are `batch.offsets[q]` to `batch.offsets[q + 1]`",
        )

    def test_identical_candidates_get_equal_answers(self) -> None:
        """Two that differ in nothing but their identifier are equals; the server breaks ties, always alike."""
        part = self._part()
        answer = self._answer(part, self._shop().twins(self._after(part)), "candidates in pairs of equals")
        half = {name: len(column) // 2 for name, column in answer.items()}
        self._same(
            {name: column[: half[name]] for name, column in answer.items()},
            {name: column[half[name] :] for name, column in answer.items()},
            "candidates that differ in nothing but their identifier get different answers: let neither the identifier "
            "nor the place in the list decide, the server breaks ties",
        )

    def test_permuting_the_candidates_permutes_the_answers(self) -> None:
        """The order in which candidates come means nothing."""
        part = self._part()
        for what, window in self._windows().items():
            order = np.random.default_rng(0).permutation(len(window.candidates))
            straight = self._answer(part, self._batch(part, window), what)
            mixed = self._answer(part, self._batch(part, window.permuted(order)), f"{what}, in another order")
            self._same(
                {name: column[order] for name, column in straight.items()},
                mixed,
                f"{what}: candidates that come in another order get other answers: go by their columns, never by "
                "their place in the list",
            )
