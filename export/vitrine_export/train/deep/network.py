"""The network: columns and vectors of a candidate in, one score out."""

from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

# Standardised values beyond this say no more.
_FAR = 5.0
_HUGE = 1e12
_TINY = 1e-6


class DeepNetwork(nn.Module):
    """Scores candidates, each by itself, so that rows of several requests go together.

    A perceptron on standardised columns. Of the vectors it reads products and angles alone: the axes of an interest
    model are others in every fit, and the one that serves was fitted again after this network.
    """

    def __init__(
        self,
        columns: npt.NDArray[np.float32],
        crosses: npt.NDArray[np.float32] | None,
        hidden: tuple[int, ...],
        dropout: float,
    ) -> None:
        """Makes it.

        Args:
            columns: ``float32[m, f]``, a sample of the feature columns, NaN for missing.
            crosses: ``float32[m, 5]``, `crosses` of the same; ``None`` when it does not read vectors.
            hidden: Widths of the hidden layers.
            dropout: Share of the hidden numbers dropped in training.
        """
        super().__init__()
        self.columns = _Standard(columns if crosses is None else np.hstack((columns, crosses)))
        layers: list[nn.Module] = []
        width = 2 * len(self.columns.mean)
        for size in hidden:
            layers += [nn.Linear(width, size), nn.GELU(), nn.Dropout(dropout)]
            width = size
        self.hidden = nn.Sequential(*layers)
        self.score = nn.Linear(width, 1)

    def forward(
        self,
        features: torch.Tensor,
        item: torch.Tensor | None = None,
        short: torch.Tensor | None = None,
        long: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """``float32[n]``: the higher the better.

        Args:
            features: ``float32[n, f]``, NaN for missing.
            item: ``float32[n, d]``, vector of the candidate; zero for none.
            short: ``float32[n, d]``, short-term interest of the shopper; zero for none.
            long: ``float32[n, d]``, long-term interest.
        """
        x = features
        if item is not None and short is not None and long is not None:
            x = torch.cat((features, crosses(item, short, long)), dim=1)
        return cast("torch.Tensor", self.score(self.hidden(self.columns(x))).squeeze(-1))


def crosses(item: torch.Tensor, short: torch.Tensor, long: torch.Tensor) -> torch.Tensor:
    """``float32[n, 5]``: products and cosines of an item with both interests, and of these; NaN where one is zero."""
    pairs = ((item, short), (item, long), (short, long))
    products = [(a * b).sum(dim=1) for a, b in pairs]
    lengths = [a.norm(dim=1) * b.norm(dim=1) for a, b in pairs]
    values = [
        *products[:2],
        *(p / length.clamp(min=_TINY) for p, length in zip(products, lengths, strict=True)),
    ]
    there = [length > _TINY for length in (*lengths[:2], *lengths)]
    return torch.stack([torch.where(t, v, torch.nan) for t, v in zip(there, values, strict=True)], dim=1)


class _Standard(nn.Module):
    """Columns with mean 0 and deviation 1, where missing is 0, and beside each whether it is missing.

    What never varied says nothing, whatever it does in serving: a column with one value; of a column that was always
    there, or never, that it is missing.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    told: torch.Tensor

    def __init__(self, columns: npt.NDArray[np.float32]) -> None:
        super().__init__()
        known, columns = ~np.isnan(columns), np.clip(columns, -_HUGE, _HUGE)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, columns, 0).sum(axis=0, dtype=np.float64) / count
        spread = np.sqrt((np.where(known, columns - mean, 0) ** 2).sum(axis=0) / count)
        varies = spread > _TINY
        self.register_buffer("mean", _float(mean))
        self.register_buffer("scale", _float(np.where(varies, 1 / np.where(varies, spread, 1), 0)))
        self.register_buffer("told", _float(np.logical_and(known.any(axis=0), ~known.all(axis=0))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``float32[n, f]`` -> ``float32[n, 2 f]``."""
        missing = torch.isnan(x)
        # Held back first: infinity times nothing is NaN.
        there = torch.where(missing, self.mean, x.clamp(-_HUGE, _HUGE))
        standard = ((there - self.mean) * self.scale).clamp(-_FAR, _FAR)
        return torch.cat((standard, missing.to(x.dtype) * self.told), dim=1)


def _float(values: npt.NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))
