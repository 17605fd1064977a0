"""The training loop of all networks: AdamW, early stopping, checkpoints, a time limit, and progress."""

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from vitrine.errors import VitrineError
from vitrine.progress import Progress, quiet
from vitrine_export.neural.checkpoint import State, restore, store
from vitrine_export.neural.curve import Curve, Epoch
from vitrine_export.neural.device import Device

_WARM_UP = 0.05
_LAST_RATE = 0.05
_CLIP = 1.0


class Task(Protocol):
    """What is trained on what. Its random choices depend on the number of the epoch alone.

    Attributes:
        name: For people.
        metric_name: What `metric` measures; more is better.
    """

    name: str
    metric_name: str

    @property
    def network(self) -> nn.Module:
        """The network."""
        ...

    def losses(self, epoch: int) -> Iterator[tuple[float, torch.Tensor]]:
        """For each step of an epoch: the share of the epoch that is done with it, and the loss to go down."""
        ...

    def metric(self) -> float | None:
        """Measured on held-out data; ``None`` when there is none."""
        ...

    def fingerprint(self) -> str:
        """Changes with the data and with every setting that a checkpoint depends on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopSettings:
    """How to train.

    Attributes:
        epochs: The most rounds; exactly so many when nothing is held out.
        patience: Rounds without a better metric before it stops.
        learning_rate: Peak step size; it rises over the first twentieth and falls as a cosine (Loshchilov & Hutter,
            ICLR 2017, equation 5) to a twentieth.
        weight_decay: Of AdamW (Loshchilov & Hutter, ICLR 2019), for matrices.
        time_limit: Seconds; the weights that were best by then are kept.
    """

    epochs: int
    patience: int = 3
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    time_limit: float | None = None


def train_network(
    task: Task,
    settings: LoopSettings,
    seed: int,
    device: Device,
    progress: Progress = quiet,
    checkpoint: Path | None = None,
) -> Curve:
    """Trains the network of a task in place and leaves the best weights in it.

    The same task, settings and seed give the same bits on one thread of a CPU; so does going on from a checkpoint.

    Args:
        task: What to train.
        settings: How.
        seed: Decides everything random.
        device: Where.
        progress: Told the epoch, loss, metric and time left.
        checkpoint: Folder that takes a checkpoint after every epoch. When it has one, training goes on from there.

    Raises:
        InvalidInput: The checkpoint belongs to other data or settings, or is damaged.
        VitrineError: The loss is no number any more.
    """
    network = task.network.to(device.torch)
    curve = Curve(task.name, task.metric_name, device.label)
    optimizer = torch.optim.AdamW(_groups(network, settings.weight_decay), lr=settings.learning_rate)
    best: State = _copy(network)
    about: dict[str, Any] = {"seed": seed, "epochs": settings.epochs, "patience": settings.patience}
    about |= {"learning_rate": settings.learning_rate, "weight_decay": settings.weight_decay}
    if checkpoint is not None:
        about["task"] = task.fingerprint()
        best = restore(checkpoint, about, curve, network, optimizer) or best
    start = time.monotonic()
    while not curve.stopped and len(curve.epochs) < settings.epochs:
        number = len(curve.epochs) + 1
        began = time.monotonic()
        # All of an epoch's chance comes from its number, so that going on is the same as never having stopped.
        with torch.random.fork_rng(
            devices=range(torch.cuda.device_count()) if device.torch.type == "cuda" else []
        ):
            torch.manual_seed(seed * 1_000_003 + number)
            loss = _epoch(task, optimizer, settings, curve, start, progress)
        metric = task.metric()
        curve.epochs.append(Epoch(loss, metric, time.monotonic() - began))
        before = curve.best_metric
        if metric is None or before is None or metric > before:
            curve.best, best = number, _copy(network)
        if settings.time_limit is not None and time.monotonic() - start >= settings.time_limit:
            curve.stopped = "time"
        elif metric is not None and number - curve.best >= settings.patience:
            curve.stopped = "patience"
        elif number >= settings.epochs:
            curve.stopped = "epochs"
        if checkpoint is not None and curve.stopped != "time":
            store(checkpoint, about, curve, network, best, optimizer)
        progress(_text(curve, settings, start), number / settings.epochs)
    network.load_state_dict(best)
    network.eval()
    return curve


def _epoch(
    task: Task,
    optimizer: torch.optim.Optimizer,
    settings: LoopSettings,
    curve: Curve,
    start: float,
    progress: Progress,
) -> float:
    network = task.network.train()
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    total, steps, told = 0.0, 0, time.monotonic()
    done = len(curve.epochs)
    for share, loss in task.losses(done + 1):
        rate = settings.learning_rate * _schedule((done + share) / settings.epochs)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(parameters, _CLIP)
        optimizer.step()
        value = float(loss.detach())
        if not math.isfinite(value):
            raise VitrineError(
                f"training of '{task.name}' diverged in epoch {done + 1} (the loss is {value}); give a lower learning rate"
            )
        total, steps = total + value, steps + 1
        now = time.monotonic()
        if now - told > 1:
            told = now
            progress(_text(curve, settings, start, share, total / steps), (done + share) / settings.epochs)
        if settings.time_limit is not None and now - start >= settings.time_limit:
            break
    network.eval()
    return total / max(steps, 1)


def _schedule(share: float) -> float:
    warm = min(share / _WARM_UP, 1.0)
    return warm * (_LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


def _text(
    curve: Curve, settings: LoopSettings, start: float, share: float = 0.0, loss: float | None = None
) -> str:
    done = len(curve.epochs) + share
    number = len(curve.epochs) + (1 if loss is not None else 0)
    parts = [f"{curve.name}: epoch {number} of {settings.epochs}"]
    shown = curve.epochs[-1].loss if loss is None else loss
    parts.append(f"loss {shown:.3f}")
    if curve.epochs and (metric := curve.epochs[-1].metric) is not None:
        parts.append(f"{curve.metric_name} {metric:.4f}")
    each = (
        curve.seconds / len(curve.epochs) if curve.epochs else (time.monotonic() - start) / max(share, 1e-9)
    )
    left = each * (settings.epochs - done)
    if settings.time_limit is not None:
        left = min(left, settings.time_limit - (time.monotonic() - start))
    parts.append("done" if curve.stopped else f"at most {max(left, 0.0):.0f} s left")
    return f"{', '.join(parts)} [{curve.device}]"


def _groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    named = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in named if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _copy(network: nn.Module) -> State:
    return copy.deepcopy({name: tensor.detach() for name, tensor in network.state_dict().items()})
