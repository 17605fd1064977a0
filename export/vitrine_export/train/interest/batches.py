"""The steps of an epoch, and the tensors of a step."""

from typing import NamedTuple

import numpy as np
import torch

from vitrine.domain.events import INTEREST, EventType
from vitrine.interest.inputs import sequences
from vitrine_export.train.interest.examples import Examples, Ints, Targets, Timeline
from vitrine_export.train.interest.settings import InterestSettings

# Steps whose examples are sorted by length together, so that little is padded.
_SORTED = 8
# Of many examples a step takes more: an epoch has about so many steps, a step at most so many examples.
_STEPS, _LARGEST = 250, 1024
# Examples of an epoch: so many for each item are enough, but no fewer than this.
_AN_ITEM, _ENOUGH = 4, 12_000


class Batch(NamedTuple):
    """Tensors of a step; ``history`` as the arguments of an embedding bag. Items are places in ``table``."""

    table: torch.Tensor
    rows: torch.Tensor
    types: torch.Tensor
    ages: torch.Tensor
    history_rows: torch.Tensor
    history_weights: torch.Tensor
    history_offsets: torch.Tensor
    example: torch.Tensor
    item: torch.Tensor
    weight: torch.Tensor
    negative: torch.Tensor
    expected: torch.Tensor


class Batches:
    """Makes batches of the examples of a timeline with n items."""

    def __init__(self, timeline: Timeline, settings: InterestSettings, n: int, device: torch.device) -> None:
        self._timeline, self._settings, self._device = timeline, settings, device
        counts = np.bincount(timeline.item, minlength=n) + 1.0
        # Half by popularity, half even: neither the popular nor the rest goes without a negative.
        self._proposal = 0.5 * counts / counts.sum() + 0.5 / n
        self._cumulative = np.cumsum(self._proposal)

    def drawn(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """As many as are wanted; of old ones some are left out."""
        days = self._settings.example_half_life_days
        time = self._timeline.time
        chance = np.ones(len(examples))
        if self._timeline.dated and len(time):
            chance = np.exp2((time[examples.cut] - time.max()) / (days * 86_400))
        most = min(self._settings.max_examples, max(_ENOUGH, _AN_ITEM * len(self._proposal)))
        chance *= min(1.0, most / max(chance.sum(), 1.0))
        return examples.take(rng.random(len(examples)) < chance)

    def steps(self, examples: Examples, rng: np.random.Generator) -> list[Ints]:
        """The numbers of the examples of each step."""
        order = rng.permutation(len(examples))
        size = min(max(self._settings.batch, len(examples) // _STEPS), _LARGEST)
        lengths = np.minimum(examples.cut - examples.begin, self._settings.length)
        steps: list[Ints] = []
        for start in range(0, len(order), size * _SORTED):
            part = order[start : start + size * _SORTED]
            part = part[np.argsort(lengths[part], kind="stable")]
            steps += [part[i : i + size] for i in range(0, len(part), size)]
        return [steps[i] for i in rng.permutation(len(steps)).tolist()]

    def make(self, examples: Examples, rng: np.random.Generator, *, sampled: bool = False) -> Batch:
        """The tensors of examples; ``sampled``: with negatives, and with a table of the items that occur alone."""
        shoppers, targets = self._timeline.shoppers(examples, rng)
        latest = sequences(shoppers, self._settings.length)
        example, item, weight = self._weighted(targets, np.diff(shoppers.event_offsets) > 0)
        recent, history = latest.rows.astype(np.int64), shoppers.history_rows.astype(np.int64)
        table = np.arange(len(self._proposal))
        negative, expected = np.zeros(0, np.int64), np.zeros(0)
        if sampled:
            count = self._settings.negatives
            negative = np.minimum(np.searchsorted(self._cumulative, rng.random(count)), len(table) - 1)
            expected = count * self._proposal[negative]
            # Only the vectors of the items that occur are made.
            table, place = np.unique(
                np.concatenate((recent.ravel(), history, item, negative)), return_inverse=True
            )
            ends = np.cumsum([recent.size, len(history), len(item)])
            flat, history, item, negative = np.split(place, ends)
            recent = flat.reshape(recent.shape)
        columns = (
            table,
            recent,
            latest.types,
            latest.ages,
            history,
            shoppers.history_weights.astype(np.float32),
            shoppers.history_offsets[:-1],
            example,
            item,
            weight,
            negative,
            expected.astype(np.float32),
        )
        return Batch(*(torch.from_numpy(column).to(self._device) for column in columns))

    def _weighted(
        self, targets: Targets, known: np.ndarray[tuple[int], np.dtype[np.bool_]]
    ) -> tuple[Ints, Ints, np.ndarray[tuple[int], np.dtype[np.float32]]]:
        """Targets of the examples that have an input, with weights."""
        keep = known[targets.example]
        example, item = targets.example[keep], targets.item[keep]
        weight = (targets.weight[keep] / INTEREST[EventType.PURCHASE]) ** 0.5
        # A visit with many items tells more, but its items do not count as so many visits.
        size = np.bincount(example, minlength=len(known))
        weight = weight / np.sqrt(size)[example]
        return example, item, weight.astype(np.float32)
