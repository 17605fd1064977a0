"""The network: item vectors, and an encoder of what a shopper did."""

from typing import cast

import torch
from torch import nn
from torch.nn import functional

from vitrine.domain.events import EventType

# Ages in days at which the basis functions of the age embedding change most.
_SCALES = (1 / 1440, 1 / 24, 1.0, 7.0, 30.0, 90.0)
_FAR = -1e4


class InterestEncoder(nn.Module):
    """What a shopper is interested in now, in the long run, and in all.

    A transformer encoder over the latest events, as in SASRec (Kang & McAuley, ICDM 2018, section 3) with
    pre-normalisation; it reads at one moment, so that nothing has to be hidden from what came before. The sum of an
    event's vector and embeddings of its place, type and age goes in. Attention that also goes by age pools the events.
    """

    def __init__(
        self, dimensions: int, width: int, length: int, layers: int, heads: int, dropout: float, *, ages: bool
    ) -> None:
        super().__init__()
        d = dimensions
        self.length = length
        self.dropout = dropout
        # Zero where the data has no times: the model must not read times that serving made up.
        self.age_scale = nn.Buffer(torch.tensor(float(ages)))
        self.scales = nn.Buffer(torch.tensor(_SCALES))
        self.enter = nn.Linear(d, width)
        self.types = nn.Parameter(torch.zeros(max(EventType) + 1, width))
        self.places = nn.Parameter(torch.zeros(length, width))
        self.age = nn.Linear(len(_SCALES), width)
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.pool = nn.Linear(width, heads)
        self.fade = nn.Parameter(torch.zeros(heads))
        self.leave = nn.Linear(width * heads, d)
        self.short_map = nn.Linear(d * heads, d, bias=False)
        self.long_map = nn.Linear(d, d)
        self.gate = nn.Linear(2 * d, d)
        self.prior = nn.Parameter(torch.zeros(d))
        with torch.no_grad():
            # At first the interest is the mean of what was seen, and so finds what is like it.
            self.long_map.weight.copy_(torch.eye(d))
            self.short_map.weight.copy_(torch.eye(d).repeat(1, heads) / heads)
            for linear in (self.leave, self.gate):
                linear.weight.mul_(0.1)

    def forward(
        self, recent: torch.Tensor, types: torch.Tensor, ages: torch.Tensor, history: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """``short``, ``long`` and ``interest``, ``float32[b, d]`` each.

        Args:
            recent: ``float32[b, l, d]``, vectors of the latest events, oldest first, padded at the front.
            types: ``int64[b, l]``, 0 for padding.
            ages: ``float32[b, l]``, days.
            history: ``float32[b, d]``, the weighted mean of the vectors of the whole history.
        """
        there = (types > 0).to(recent.dtype)
        if self.training and self.dropout > 0:
            # Whole events instead of numbers: what is asked after is then not only told by the latest ones.
            there = there * (torch.rand_like(there) >= self.dropout)
        ages = ages * self.age_scale
        days = torch.log1p(ages)
        basis = torch.log1p(ages.unsqueeze(-1) / self.scales) / 5
        place = torch.arange(recent.shape[1], device=recent.device) - recent.shape[1] + self.length
        x = (
            self.enter(recent)
            + functional.embedding(types, self.types)
            + self.places[place]
            + self.age(basis)
        )
        hidden = (1 - there) * _FAR
        for layer in self.layers:
            x = layer(x, hidden)
        x = self.norm(x)
        logits = self.pool(x) - functional.softplus(self.fade) * days.unsqueeze(-1) + hidden.unsqueeze(-1)
        # Where all is padding, weights of padding are left: they are taken out.
        weights = (torch.softmax(logits, dim=1) * there.unsqueeze(-1)).transpose(1, 2)
        pooled, seen = (weights @ x).flatten(1), (weights @ recent).flatten(1)
        some = there.amax(dim=1, keepdim=True)
        short = (self.short_map(seen) + self.leave(pooled)) * some
        long = self.long_map(history)
        gate = torch.sigmoid(self.gate(torch.cat((short, long), dim=1)))
        return short, long, gate * short + (1 - gate) * long + self.prior


class _Layer(nn.Module):
    """Self-attention and a feed-forward network, each on normalised input and added to what came in."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(d), nn.LayerNorm(d)
        self.mix = nn.Linear(d, 3 * d)
        self.out = nn.Linear(d, d)
        self.feed = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """``x`` ``float32[b, l, d]``, ``hidden`` ``float32[b, l]``: very low where nothing may be read."""
        b, length, d = x.shape
        mixed = self.mix(self.first(x)).view(b, length, 3, self.heads, d // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4).unbind(0)
        logits = query @ key.transpose(-1, -2) * (d // self.heads) ** -0.5 + hidden[:, None, None, :]
        read = (torch.softmax(logits, dim=-1) @ value).transpose(1, 2).reshape(b, length, d)
        x = x + self.out(read)
        return cast("torch.Tensor", x + self.feed(self.second(x)))


class InterestNetwork(nn.Module):
    """Item vectors and the encoder.

    The vector of an item is a learned one plus a projection of its content vector.
    """

    def __init__(
        self,
        encoder: InterestEncoder,
        learned: torch.Tensor,
        content: torch.Tensor | None,
        item_dropout: float,
    ) -> None:
        """Makes it.

        Args:
            encoder: The encoder.
            learned: ``float32[n, d]``, where the learned vectors begin.
            content: ``float32[n, dc]``, content vectors.
            item_dropout: Share of items that go by their content vectors alone in a step.
        """
        super().__init__()
        self.encoder = encoder
        self.learned = nn.Parameter(learned)
        self.content = None if content is None else nn.Buffer(content, persistent=False)
        self.projection: nn.Parameter | None = None
        if content is not None:
            self.projection = nn.Parameter(torch.randn(content.shape[1], learned.shape[1]) * 0.02)
        self.item_dropout = item_dropout

    def vectors(self, rows: torch.Tensor | None = None) -> torch.Tensor:
        """``float32[n, d]``, or those of ``int64[m]`` rows; in training some items lack their learned part."""
        learned = self.learned if rows is None else functional.embedding(rows, self.learned)
        if self.projection is None or self.content is None:
            return learned
        content = self.content if rows is None else self.content[rows]
        if self.training and self.item_dropout > 0:
            learned = learned * (torch.rand(len(learned), 1, device=learned.device) >= self.item_dropout)
        return learned + content @ self.projection
