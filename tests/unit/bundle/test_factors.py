"""What latent factors say, and which files of them are refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vitrine.bundle import Factors, Shoppers, load_bundle, write_bundle
from vitrine.errors import BundleError

RNG = np.random.default_rng(5)
N, RANK = 9, 3
FACTORS = Factors(
    RNG.normal(size=(N, RANK)).astype(np.float16),
    RNG.uniform(0.1, 1, N).astype(np.float32),
    RNG.uniform(1, 2, N).astype(np.float32),
)
SHOPPERS = Shoppers(np.array([0, 2, 5]), np.array([0, 3, 8, 1, 4], np.int32), N)
IDS = [f"i{number}" for number in range(N)]


def test_a_score_is_what_the_history_adds_up_to_along_the_candidate() -> None:
    rows, weights = np.array([2, -1, 7], np.int32), np.array([0.5, 9.0, 2.0])
    candidates = np.array([0, 7, -1, 0, 4], np.int32)
    found = FACTORS.scores_at(rows, weights, candidates)
    vectors = FACTORS.vectors.astype(float)
    for score, c in zip(found.tolist(), candidates.tolist(), strict=True):
        terms = [w * FACTORS.inward[h] * vectors[h] @ vectors[c] for h, w in ((2, 0.5), (7, 2.0))]
        assert score == pytest.approx(0.0 if c < 0 else FACTORS.outward[c] * sum(terms), rel=1e-4, abs=1e-6)
    assert (found < 0).any()
    everything = FACTORS.scores(rows, weights)
    np.testing.assert_allclose(everything[[0, 7, 4]], found[[0, 1, 4]], rtol=1e-4)
    between = FACTORS.between(rows[[0, 2]], candidates[:2])
    np.testing.assert_allclose(np.array([0.5, 2.0]) @ between, found[:2], rtol=1e-4)


def test_nobody_known_scores_zero() -> None:
    for rows in (np.empty(0, np.int32), np.array([-1], np.int32)):
        assert FACTORS.scores_at(rows, np.ones(len(rows)), np.array([1, 2], np.int32)).tolist() == [0, 0]


def test_factors_and_shoppers_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", item_ids=IDS, factors=FACTORS, shoppers=SHOPPERS)
    bundle = load_bundle(tmp_path / "b")
    assert bundle.factors is not None
    assert bundle.shoppers is not None
    for column in ("vectors", "inward", "outward"):
        np.testing.assert_array_equal(getattr(bundle.factors, column), getattr(FACTORS, column))
    for column in ("indptr", "items", "item_count"):
        np.testing.assert_array_equal(getattr(bundle.shoppers, column), getattr(SHOPPERS, column))
    write_bundle(tmp_path / "none", item_ids=IDS)
    assert (load_bundle(tmp_path / "none").factors, load_bundle(tmp_path / "none").shoppers) == (None, None)


def _not_finite() -> dict[str, object]:
    vectors = FACTORS.vectors.copy()
    vectors[1, 1] = np.inf
    return {"factors": Factors(vectors, FACTORS.inward, FACTORS.outward)}


def _too_few() -> dict[str, object]:
    return {"factors": Factors(FACTORS.vectors[:-1], FACTORS.inward, FACTORS.outward)}


def _no_numbers() -> dict[str, object]:
    return {"factors": Factors(FACTORS.vectors[:, :0], FACTORS.inward, FACTORS.outward)}


def _an_item_twice() -> dict[str, object]:
    shoppers = Shoppers(np.array([0, 2]), np.array([3, 3], np.int32), N)
    return {"shoppers": shoppers}


def _an_item_too_many() -> dict[str, object]:
    return {"shoppers": Shoppers(np.array([0, 2]), np.array([3, N], np.int32), N + 1)}


def _nobody() -> dict[str, object]:
    return {"shoppers": Shoppers(np.array([0, 2, 2]), np.array([3, 4], np.int32), N)}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (_not_finite, "factors.vectors"),
        (_too_few, "factors.vectors"),
        (_no_numbers, "no numbers"),
        (_an_item_twice, "an item twice"),
        (_an_item_too_many, "outside 0 to 8"),
        (_nobody, "has no items"),
    ],
)
def test_parts_that_are_wrong_are_refused(
    made: Callable[[], dict[str, object]], said: str, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match=said):
        write_bundle(tmp_path / "b", item_ids=IDS, **made())  # type: ignore[arg-type]
