"""Trains the interest model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch

from vitrine.content.model import Vectors
from vitrine.domain.profile import DAY
from vitrine.progress import Progress, quiet
from vitrine_export.neural import Curve, LoopSettings, choose_device, train_network
from vitrine_export.train.interactions import Interactions
from vitrine_export.train.interest.examples import Examples, Timeline
from vitrine_export.train.interest.network import InterestEncoder, InterestNetwork
from vitrine_export.train.interest.settings import InterestSettings
from vitrine_export.train.interest.task import InterestTask

_MAX_VALIDATION = 2000
# Exponent of popularity that is taken out before the factors.
_ITEM_EXPONENT = 0.3
# Length of an item vector at the start, at most, over the mean one.
_LONGEST = 2.5
# Below this there is nothing to learn from.
_MIN_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Trained:
    """A network after training.

    Attributes:
        network: With the weights that were best, on the CPU.
        vectors: ``float32[n, d]``, item vectors.
        projection: ``float32[dc, d]``, content vector times this is the vector of a newer item; ``None`` without content.
        timeline: What it was trained on.
        examples: Whole visits that it learned from.
        curve: How training went.
    """

    network: InterestNetwork
    vectors: Vectors
    projection: Vectors | None
    timeline: Timeline
    examples: Examples
    curve: Curve


def train_interest(
    interactions: Interactions,
    content: Vectors | None,
    settings: InterestSettings,
    seed: int,
    *,
    hold_out: bool = True,
    progress: Progress = quiet,
    checkpoint: Path | None = None,
) -> Trained | None:
    """Trains the model.

    Args:
        interactions: What happened.
        content: ``float32[n, dc]``, content vectors; ``None`` when content is off.
        settings: How.
        seed: Decides everything random.
        hold_out: Whether the end of the window decides when to stop; otherwise all is learned from, in
            ``settings.epochs`` epochs.
        progress: Told how far it is.
        checkpoint: Folder of a checkpoint, to go on from.

    Returns:
        The network; ``None`` when there is too little that follows from something.

    Raises:
        ConfigError: A GPU is demanded and there is none.
        InvalidInput: The checkpoint belongs to other data or settings.
    """
    device = choose_device(settings.device)
    timeline = Timeline(interactions, settings, seed)
    late = timeline.late_visits() & hold_out
    learned, validation = timeline.next_visits(~late), timeline.next_visits(late)
    if len(learned) < _MIN_EXAMPLES:
        return None
    if len(validation) > _MAX_VALIDATION:
        chosen = np.random.default_rng(seed).choice(len(validation), _MAX_VALIDATION, replace=False)
        validation = validation.take(np.sort(chosen))
    network = _network(interactions, content, settings, seed, dated=timeline.dated)
    curve = train_network(
        InterestTask(network, timeline, learned, ~late, validation, settings, seed, device.torch),
        LoopSettings(
            epochs=settings.epochs,
            patience=settings.patience,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            time_limit=settings.time_limit,
        ),
        seed,
        device,
        progress,
        checkpoint,
    )
    network = network.cpu().eval()
    with torch.no_grad():
        vectors = network.vectors().numpy().copy()
    projection = None if network.projection is None else network.projection.detach().numpy().copy()
    return Trained(network, vectors, projection, timeline, learned, curve)


def _network(
    interactions: Interactions,
    content: Vectors | None,
    settings: InterestSettings,
    seed: int,
    *,
    dated: bool,
) -> InterestNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = InterestEncoder(
            settings.dimensions,
            settings.width,
            settings.length,
            settings.layers,
            settings.heads,
            settings.dropout,
            ages=dated,
        )
        return InterestNetwork(
            encoder,
            _start(interactions, settings, seed),
            None if content is None else torch.from_numpy(np.array(content, np.float32)),
            settings.item_dropout,
        )


def _start(interactions: Interactions, settings: InterestSettings, seed: int) -> torch.Tensor:
    """Where the learned vectors begin: the item factors of a truncated singular value decomposition."""
    from sklearn.utils.extmath import randomized_svd

    rng = np.random.default_rng(seed)
    n, d = interactions.item_count, settings.dimensions
    learned = rng.normal(0, 0.01, (n, d))
    matrix = interactions.by_subject(settings.example_half_life_days * DAY, settings.max_history)
    rank = min(d, min(matrix.shape) - 1)
    if rank > 0 and matrix.nnz:
        norms: npt.NDArray[np.float64] = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()
        scale = np.where(norms > 0, norms, 1.0) ** -_ITEM_EXPONENT
        scaled = sp.csr_matrix(matrix @ sp.diags_array(scale)).astype(np.float32)
        _, _, right = randomized_svd(scaled, rank, n_iter=2, random_state=seed)
        factors = right.T / np.sqrt(np.mean(right**2)) * settings.start_scale / np.sqrt(d)
        # Of many items, the few most popular would have vectors far longer than the rest.
        longest = _LONGEST * settings.start_scale
        length = np.sqrt((factors**2).sum(axis=1, keepdims=True))
        learned[:, :rank] += factors * np.minimum(1.0, longest / np.maximum(length, 1e-12))
    return torch.from_numpy(learned.astype(np.float32))
