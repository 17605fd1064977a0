"""Each check finds what it is there for, and nothing else: rankers that break one rule each."""

import datetime as dt
import itertools
import subprocess
import sys
import time
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pytest

from tests.unit.testing.bad import Good, contract, each, failures, module
from vitrine.hosting import checks
from vitrine.plugin import Attribution, Batch, Scores
from vitrine.testing import RankerContract
from vitrine.testing.measure import growth

_anew = itertools.count()


class FailsWithoutCandidates(Good):
    def score(self, batch: Batch) -> Scores:
        dearest = [batch.items.price_micros[own].max() for own in each(batch)]
        return super().score(batch) + np.float32(0 * len(dearest))


class FailsOnASingleCandidate(Good):
    def score(self, batch: Batch) -> Scores:
        for own in each(batch):
            if own.stop > own.start:
                np.sort(batch.items.price_micros[own])[1]
        return super().score(batch)


class FailsOnUnknownShoppers(Good):
    def score(self, batch: Batch) -> Scores:
        for profile in batch.profiles:
            profile.items.last_time.max()
        return super().score(batch)


class FailsOnUnknownItems(Good):
    def score(self, batch: Batch) -> Scores:
        if (batch.items.rows < 0).any():
            raise KeyError("unknown-0")
        return super().score(batch)


class DrawsNumbers(Good):
    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def score(self, batch: Batch) -> Scores:
        return self._rng.random(len(batch.items.ids), np.float32) * np.float32(1e-7)


class AsksForTheTime(Good):
    def score(self, batch: Batch) -> Scores:
        # Too coarse to differ from one call to the next.
        return super().score(batch) + np.float32(int(time.time() / 1e6))


class AsksForTheDay(Good):
    def score(self, batch: Batch) -> Scores:
        today = dt.datetime.now(dt.UTC).date().toordinal()
        return super().score(batch) * np.float32(today)


class DiffersWhenMadeAnew(Good):
    def __init__(self) -> None:
        self._salt = np.float32(1e-7 * next(_anew))

    def score(self, batch: Batch) -> Scores:
        return np.full(len(batch.items.ids), self._salt)


class ScalesByTheWholeBatch(Good):
    def score(self, batch: Batch) -> Scores:
        price = batch.items.price_micros.astype(np.float32)
        return price / max(float(price.max(initial=0)), 1.0)


class GoesByIdentifiers(Good):
    def score(self, batch: Batch) -> Scores:
        return np.array([crc32(i.encode()) % 100 for i in batch.items.ids], np.float32)


class GoesByItsNeighbour(Good):
    def score(self, batch: Batch) -> Scores:
        scores = super().score(batch)
        return np.concatenate([np.roll(scores[own], 1) for own in each(batch)])


class UnlocksAnArray(Good):
    def score(self, batch: Batch) -> Scores:
        batch.items.trend.flags.writeable = True
        batch.items.trend[:] = 0
        return super().score(batch)


class ChangesAMatrix(Good):
    def score(self, batch: Batch) -> Scores:
        matrix = batch.features.matrix(["item.age_days", "item.price"])
        matrix[np.isnan(matrix)] = 0
        return matrix[:, 0]


class MixesUpThreads(Good):
    def score(self, batch: Batch) -> Scores:
        self._scores = super().score(batch)
        time.sleep(1e-4)
        return self._scores


class KeepsEverything(Good):
    def __init__(self) -> None:
        self._kept: list[Scores] = []

    def score(self, batch: Batch) -> Scores:
        self._kept.append(super().score(batch))
        return self._kept[-1]


class TakesTooLong(Good):
    budget_ms = 5.0

    def score(self, batch: Batch) -> Scores:
        time.sleep(0.02 if len(batch.items.ids) >= 1000 else 0)
        return super().score(batch)


class ExplainsByOthers(Good):
    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.zeros(len(positions), np.int64)


class DoesNotAddUp(Good):
    groups = ("item",)

    def group_shares(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Scores:
        return np.zeros((len(positions), 1), np.float32)

    def attribute(self, batch: Batch, positions: npt.NDArray[np.int64]) -> Attribution:
        shares = np.ones((len(positions), 1), np.float32)
        return Attribution(("item.price",), shares, shares, 0.0)


@pytest.mark.parametrize(
    ("ranker", "expected"),
    [
        (Good, {}),
        (FailsWithoutCandidates, {"test_a_request_without_candidates": "raised ValueError"}),
        (FailsOnASingleCandidate, {"test_a_single_candidate": "raised IndexError"}),
        (FailsOnUnknownShoppers, {"test_unknown_shoppers": "the history is empty there"}),
        (FailsOnUnknownItems, {"test_unknown_items": "they have row −1"}),
        (DrawsNumbers, {"test_the_same_batch_gets_the_same_answer": "a seeded generator"}),
        (AsksForTheTime, {"test_the_clock_does_not_matter": "go by `batch.request_time`"}),
        (AsksForTheDay, {"test_the_clock_does_not_matter": "go by `batch.request_time`"}),
        (DiffersWhenMadeAnew, {"test_parts_made_anew_agree": "seed what is drawn when"}),
        (ScalesByTheWholeBatch, {"test_a_batch_equals_its_requests_one_by_one": "work within each query"}),
        (GoesByIdentifiers, {"test_identical_candidates_get_equal_answers": "the server breaks ties"}),
        (GoesByItsNeighbour, {"test_permuting_the_candidates_permutes_the_answers": "never by their place"}),
        (UnlocksAnArray, {"test_it_does_not_change_its_input": "changes batch.items.trend, which"}),
        (
            ChangesAMatrix,
            {
                "test_it_does_not_change_its_input": "changes the matrix of 2 feature columns",
                "test_it_works_on_read_only_arrays": "work on a copy of what you change",
            },
        ),
        (MixesUpThreads, {"test_threads_do_not_disturb_each_other": ""}),
        (KeepsEverything, {"test_it_keeps_no_memory": "bad.py"}),
        (TakesTooLong, {"test_it_keeps_to_its_budget": "too slow"}),
        (ExplainsByOthers, {"test_its_explanations_point_into_the_history": "somebody else's history"}),
        (DoesNotAddUp, {"test_its_attributions_add_up": "do not add up"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_ranker_that_breaks_one_rule_fails_that_check_alone(ranker: type, expected: dict[str, str]) -> None:
    found = failures(contract(RankerContract, module(ranker)), *expected)
    assert found.keys() == expected.keys(), found
    for name, words in expected.items():
        assert words in found[name]
        assert "\n" not in found[name].partition("\n  candidates")[0], "one sentence, and a table at most"


class ExplainsByFloats(Good):
    def explain(self, batch: Batch, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.full(len(positions), -1.0)


def test_explanations_of_another_form_are_named() -> None:
    found = failures(contract(RankerContract, module(ExplainsByFloats)))
    assert found == {
        "test_its_explanations_point_into_the_history": "`explain` answered a float64 array where an int64 array of rows "
        "was asked for: answer an int64 for each of `positions`"
    }


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda n: [0.0] * n, "a list: answer a NumPy array"),
        (np.zeros, "float64: add `.astype(np.float32)`"),
        (lambda n: np.zeros(n + 1, np.float32), "for 50 candidates: answer one number for each"),
        (lambda n: np.zeros((n, 1), np.float32), "shape (50, 1)"),
        (lambda n: np.full(n, np.inf, np.float32), "an infinite score: guard divisions"),
        (lambda n: np.full(n, np.nan, np.float32), "NaN: answer a number for each, or say `partial = True`"),
        (lambda n: None, "nothing: `return` the scores"),
    ],
)
def test_answers_of_another_form_are_named(answer: object, words: str) -> None:
    bad = type("Bad", (Good,), {"score": lambda self, batch: answer(len(batch.items.ids))})  # type: ignore[operator]
    with pytest.raises(AssertionError) as raised:
        contract(RankerContract, module(bad)).test_answers_are_finite_float32_of_the_right_length()
    assert words in str(raised.value)


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("more", [0, 1])
def test_what_fails_here_is_what_the_server_leaves_out(
    partial: bool, value: float, dtype: type, more: int
) -> None:
    def score(self: object, batch: Batch) -> object:
        with np.errstate(invalid="ignore"):
            return np.full(len(batch.items.ids) + more, value).astype(dtype)

    ranker = type("Ranker", (Good,), {"score": score, "partial": partial})
    with np.errstate(invalid="ignore"):
        refused = checks.scores(np.full(50 + more, value).astype(dtype), 50, partial=partial)
    tests = contract(RankerContract, module(ranker))
    if refused:
        with pytest.raises(AssertionError):
            tests.test_answers_are_finite_float32_of_the_right_length()
    else:
        tests.test_answers_are_finite_float32_of_the_right_length()


def test_one_that_is_partial_may_have_nothing_to_say() -> None:
    def score(self: object, batch: Batch) -> Scores:
        return np.full(len(batch.items.ids), np.nan, np.float32)

    partial = type("Partial", (Good,), {"score": score, "partial": True})
    assert not failures(contract(RankerContract, module(partial)))


def test_the_table_of_times_has_all_three_sizes() -> None:
    with pytest.raises(AssertionError) as raised:
        contract(RankerContract, module(TakesTooLong)).test_it_keeps_to_its_budget()
    lines = str(raised.value).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["candidates", "10", "300", "3,000"]
    assert [line.endswith("too slow") for line in lines[2:]] == [False, False, True]


def test_a_budget_that_is_no_time_is_named_by_who_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Good, "budget_ms", "fast")
    with pytest.raises(AssertionError, match="budget_ms is 'fast': make it the milliseconds"):
        contract(RankerContract, module(Good)).test_it_keeps_to_its_budget()


def test_what_leaks_is_found_in_the_authors_code_and_not_in_numpy() -> None:
    kept: list[npt.NDArray[np.float64]] = []

    def keeps(n: int) -> None:
        kept.append(np.ones(1_000) * n)

    grown, where = growth(keeps, 2, 20)
    assert grown > 20 * 8_000
    assert where.startswith(__file__)


def test_a_class_that_names_no_module_says_so_in_each_of_its_tests(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(
        "from vitrine.testing import RankerContract\n\nclass TestIt(RankerContract):\n    plugins = __name__\n",
        "utf-8",
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "-k",
            "single or clock",
            file,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 errors" in done.stdout
    assert "TestIt does not say what it tests: write `plugin = NAME` in it" in done.stdout
