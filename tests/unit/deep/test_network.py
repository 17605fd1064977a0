"""What the network reads, and what it must not."""

import numpy as np
import pytest
import torch

from vitrine_export.train.deep.network import DeepNetwork, crosses

Array = np.ndarray[tuple[int, int], np.dtype[np.float32]]


def draw(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32))


def network(columns: Array, vectors: Array | None = None) -> DeepNetwork:
    torch.manual_seed(0)
    return DeepNetwork(columns, vectors, (16, 8), 0.1).eval()


@torch.no_grad()
def test_turning_the_axes_of_the_interest_model_changes_nothing() -> None:
    item, short, long, features = (draw(40, d, seed) for d, seed in ((8, 1), (8, 2), (8, 3), (3, 4)))
    made = network(features.numpy(), crosses(item, short, long).numpy())
    turn = torch.linalg.qr(draw(8, 8, 5)).Q
    torch.testing.assert_close(
        made(features, item @ turn, short @ turn, long @ turn), made(features, item, short, long)
    )
    assert made(features, short, item, long).sub(made(features, item, short, long)).abs().max() > 1e-3


def test_what_is_not_there_has_no_angle() -> None:
    some, none = draw(2, 4, 1), torch.zeros(2, 4)
    assert torch.isnan(crosses(none, some, some)).tolist() == [[True, True, True, True, False]] * 2
    assert torch.isnan(crosses(some, none, some)).tolist() == [[True, False, True, False, True]] * 2


@torch.no_grad()
def test_a_missing_value_is_something_else_than_the_mean() -> None:
    columns = draw(500, 2, 0).numpy()
    columns[::3, 0] = np.nan
    made = network(columns)
    mean = torch.from_numpy(np.nanmean(columns, axis=0))[None]
    missing = mean.clone()
    missing[0, 0] = torch.nan
    assert abs(float(made(mean)) - float(made(missing))) > 1e-4


@torch.no_grad()
@pytest.mark.parametrize("value", [7.0, -1e30, np.inf, np.nan])
def test_a_column_that_never_varied_says_nothing(value: float) -> None:
    columns = draw(500, 3, 0).numpy()
    columns[:, 1], columns[:, 2] = 5.0, np.nan
    made = network(columns)
    plain = torch.tensor([[0.3, 5.0, np.nan]])
    odd = torch.tensor([[0.3, value, 1.0 if np.isnan(value) else value]])
    torch.testing.assert_close(made(odd), made(plain))


@torch.no_grad()
def test_wild_values_are_held_back() -> None:
    made = network(draw(500, 2, 0).numpy())
    wild = torch.tensor([[np.inf, -np.inf], [1e30, -1e30], [6.0, -6.0]])
    scores = made(wild)
    assert torch.isfinite(scores).all()
    torch.testing.assert_close(scores, scores[2].expand(3))
