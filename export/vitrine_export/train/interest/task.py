"""The interest model as something to train: the loss, and the metric on held-out visits."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from vitrine_export.train.interest.batches import Batch, Batches
from vitrine_export.train.interest.examples import Examples, Timeline
from vitrine_export.train.interest.network import InterestNetwork
from vitrine_export.train.interest.settings import InterestSettings

K = 20


class InterestTask:
    """See `vitrine_export.neural.loop.Task`."""

    name = "interest"
    metric_name = f"NDCG@{K}"

    def __init__(
        self,
        network: InterestNetwork,
        timeline: Timeline,
        fixed: Examples,
        visits: npt.NDArray[np.bool_],
        validation: Examples,
        settings: InterestSettings,
        seed: int,
        device: torch.device,
    ) -> None:
        """Makes it.

        Args:
            network: What to train.
            timeline: The events.
            fixed: Examples of whole visits.
            visits: ``bool[v]``, the visits within which moments are drawn in every epoch.
            validation: What is held out.
            settings: How.
            seed: Decides everything random.
            device: Where.
        """
        self.network = network
        self._timeline = timeline
        self._fixed, self._within, self._validation = fixed, visits, validation
        self._settings, self._seed, self._device = settings, seed, device
        self._sampled = len(network.learned) > settings.full_softmax_items
        self._batches = Batches(timeline, settings, len(network.learned), device)

    def losses(self, epoch: int) -> Iterator[tuple[float, torch.Tensor]]:
        """See `Task`."""
        rng = np.random.default_rng((self._seed, epoch))
        examples = self._fixed.join(self._timeline.within_visits(self._within, rng))
        examples = self._batches.drawn(examples, rng)
        steps = self._batches.steps(examples, rng)
        for number, which in enumerate(steps, 1):
            batch = self._batches.make(examples.take(which), rng, sampled=self._sampled)
            if len(batch.item):
                yield number / len(steps), self._loss(batch)

    def metric(self) -> float | None:
        """NDCG@20 over the items of the next visit; every item can come."""
        return self.measure(self._validation)[0] if len(self._validation) else None

    def fingerprint(self) -> str:
        """See `Task`."""
        told = hashlib.sha256(repr(asdict(replace(self._settings, time_limit=None, device=""))).encode())
        timeline = self._timeline
        columns = (timeline.subject, timeline.item, timeline.type, timeline.time)
        for column in (*columns, self._within, self._validation.cut):
            told.update(np.ascontiguousarray(column).tobytes())
        if self.network.content is not None:
            told.update(self.network.content.cpu().numpy().tobytes())
        return told.hexdigest()[:16]

    @torch.no_grad()
    def measure(self, examples: Examples) -> tuple[float, float]:
        """NDCG@20 and Recall@20, means over examples."""
        self.network.eval()
        rng = np.random.default_rng(self._seed)
        vectors = self.network.vectors()
        gains, found = [], []
        discount = 1 / torch.log2(torch.arange(K, device=self._device) + 2.0)
        for start in range(0, len(examples), 512):
            part = examples.take(np.arange(start, min(start + 512, len(examples))))
            batch = self._batches.make(part, rng)
            scores = self._interest(batch, vectors) @ vectors.T
            k = min(K, scores.shape[1])
            top = scores.topk(k, dim=1).indices
            wanted = torch.zeros(scores.shape, dtype=torch.bool, device=self._device)
            wanted[batch.example, batch.item] = True
            hits = wanted.gather(1, top).float()
            size = wanted.sum(1).clamp(min=1)
            ideal = torch.cumsum(discount, 0)[torch.clamp(size, max=K) - 1]
            gains.append((hits @ discount[:k]) / ideal)
            found.append(hits.sum(1) / size)
        return float(torch.cat(gains).mean()), float(torch.cat(found).mean())

    def _interest(self, batch: Batch, vectors: torch.Tensor) -> torch.Tensor:
        recent = functional.embedding(batch.rows, vectors) * (batch.types > 0).unsqueeze(-1)
        weights = batch.history_weights
        if self.network.training and self._settings.dropout > 0:
            kept = torch.rand_like(weights) >= self._settings.dropout
            weights = weights * kept / (1 - self._settings.dropout)
        history = functional.embedding_bag(
            batch.history_rows,
            vectors,
            batch.history_offsets,
            mode="sum",
            per_sample_weights=weights,
        )
        interest: torch.Tensor = self.network.encoder(recent, batch.types, batch.ages, history)[2]
        return interest

    def _loss(self, batch: Batch) -> torch.Tensor:
        """Cross-entropy of the targets against all items or, where they are many, against a sample of them.

        Of a sample each score is reduced by the logarithm of how often the item is expected in it (Yi et al.,
        RecSys 2019, equation 3).
        """
        vectors = self.network.vectors(batch.table if self._sampled else None)
        interest = self._interest(batch, vectors)
        if self._sampled:
            others = interest @ vectors[batch.negative].T - batch.expected.log()
            wanted = (interest[batch.example] * vectors[batch.item]).sum(1)
            total = torch.logaddexp(torch.logsumexp(others, dim=1)[batch.example], wanted)
        else:
            scores = interest @ vectors.T
            wanted = scores[batch.example, batch.item]
            total = torch.logsumexp(scores, dim=1)[batch.example]
        return (batch.weight * (total - wanted)).sum() / batch.weight.sum()
