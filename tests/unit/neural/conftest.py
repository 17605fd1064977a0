"""A small regression to train."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from vitrine_export.neural import Device

CPU = Device(torch.device("cpu"), "CPU")


class Lines:
    """Straight lines; see `vitrine_export.neural.loop.Task`."""

    name, metric_name = "lines", "accuracy"

    def __init__(self, *, held_out: bool = True, worse_after: int = 1000) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x = torch.randn(64, 4, generator=generator)
        self.y = self.x @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]])
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.network: nn.Module = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 1))
        self.held_out, self.worse_after, self.measured = held_out, worse_after, 0

    def losses(self, epoch: int) -> Iterator[tuple[float, torch.Tensor]]:
        order = np.random.default_rng(epoch).permutation(64).reshape(4, 16)
        for step, rows in enumerate(order, 1):
            yield step / 4, (self.network(self.x[rows]) - self.y[rows]).square().mean()

    def metric(self) -> float | None:
        self.measured += 1
        if not self.held_out:
            return None
        if self.measured > self.worse_after:
            return -1e9
        with torch.no_grad():
            return -float((self.network(self.x) - self.y).square().mean())

    def fingerprint(self) -> str:
        return "lines"


@pytest.fixture
def lines() -> Lines:
    return Lines()
