"""The checks of feature columns."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.unit.testing.bad import contract, failures, module
from vitrine.features import columns_of
from vitrine.plugin import Batch, FeatureColumn, Scores
from vitrine.testing import FeatureBlockContract

HOOK = "vitrine_make_features"


class Cheapness:
    """How cheap, NaN without a price."""

    columns: Any = (FeatureColumn("cheapness", "how cheap it is"),)
    budget_ms: Any = 10.0

    def compute(self, batch: Batch) -> Mapping[str, Any]:
        price = batch.items.price_micros.astype(np.float32)
        price[price == 0] = np.nan
        return {"cheapness": -price}


class OfTheWholeBatch(Cheapness):
    def compute(self, batch: Batch) -> Mapping[str, Scores]:
        scores = super().compute(batch)["cheapness"]
        return {"cheapness": scores - np.fmin.reduce(scores, initial=0)}


def test_good_columns_pass_everything() -> None:
    assert not failures(contract(FeatureBlockContract, module(Cheapness, HOOK)), "test_it_keeps_no_memory")


def test_the_checks_are_those_of_rankers() -> None:
    found = failures(contract(FeatureBlockContract, module(OfTheWholeBatch, HOOK)))
    assert found.keys() == {"test_a_batch_equals_its_requests_one_by_one"}
    assert found["test_a_batch_equals_its_requests_one_by_one"].startswith("cheapness: ")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ((), "at least one"),
        ([FeatureColumn("cheapness", "how cheap")], "must be a tuple"),
        (("cheapness",), "make it a vitrine.plugin.FeatureColumn"),
        ((FeatureColumn("Cheapness", "how cheap"),), "a to z, 0 to 9 and _"),
        ((FeatureColumn("cheapness", " "),), "the text of column 'cheapness' is ' '"),
        ((FeatureColumn("cheapness", "how cheap", version=-1),), "make it a whole number"),
        ((FeatureColumn("cheapness", "how cheap"),) * 2, "is there twice"),
    ],
)
def test_columns_are_well_formed(columns: object, words: str) -> None:
    tests = contract(FeatureBlockContract, module(type("Bad", (Cheapness,), {"columns": columns}), HOOK))
    assert isinstance(tests, FeatureBlockContract)
    with pytest.raises(AssertionError) as raised:
        tests.test_its_columns_are_well_formed()
    assert words in str(raised.value)


def test_what_the_kit_passes_the_server_takes_and_what_it_fails_the_server_refuses() -> None:
    """Names, texts and versions at the edges."""
    for name, text, version in itertools.product(
        ("a" * 64, "a" * 65, "a_1", "A"), ("x" * 200, "x" * 201, ""), (0, 1, 10**9 - 1, 10**9, True)
    ):
        columns = (FeatureColumn(name, text, version),)
        tests = contract(
            FeatureBlockContract, module(type("Block", (Cheapness,), {"columns": columns}), HOOK)
        )
        assert isinstance(tests, FeatureBlockContract)
        try:
            columns_of("bad", columns)
        except ValueError:
            with pytest.raises(AssertionError):
                tests.test_its_columns_are_well_formed()
        else:
            tests.test_its_columns_are_well_formed()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "declares cheapness and answered"),
        ({"cheapness": np.zeros(1, np.float32), "more": np.zeros(1, np.float32)}, "cheapness, more"),
        (np.zeros(1, np.float32), "not a mapping"),
        ({"cheapness": np.zeros(1)}, "column 'cheapness' of `compute` answered float64"),
    ],
)
def test_what_it_answers_is_what_it_declares(answer: object, words: str) -> None:
    bad = type("Bad", (Cheapness,), {"compute": lambda self, batch: answer})
    with pytest.raises(AssertionError) as raised:
        contract(FeatureBlockContract, module(bad, HOOK)).test_a_single_candidate()
    assert words in str(raised.value)
