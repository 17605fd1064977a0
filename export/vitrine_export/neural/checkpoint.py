"""A checkpoint: plain tensors in one file, from which training goes on to the same result."""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from vitrine.errors import InvalidInput
from vitrine_export.neural.curve import Curve, Epoch

FILE = "checkpoint.npz"
_ABOUT = "about"

State = dict[str, torch.Tensor]


def save_checkpoint(folder: Path, about: Mapping[str, Any], states: Mapping[str, State]) -> None:
    """Writes a checkpoint, replacing the one before: whole or not at all.

    Args:
        folder: Made when it is missing.
        about: Anything that JSON can hold.
        states: Tensors by name, in groups.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{group}/{name}": tensor.detach().cpu().numpy()
        for group, state in states.items()
        for name, tensor in state.items()
    }
    arrays[_ABOUT] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    beside = folder / f".{FILE}"
    with beside.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / FILE)


def load_checkpoint(folder: Path) -> tuple[dict[str, Any], dict[str, State]] | None:
    """Reads a checkpoint; ``None`` when there is none yet.

    Raises:
        InvalidInput: The file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    states: dict[str, State] = {}
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            about = json.loads(arrays[_ABOUT].tobytes())
            for key in arrays.files:
                group, _, name = key.partition("/")
                if name:
                    states.setdefault(group, {})[name] = torch.from_numpy(arrays[key])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidInput(
            "resume", f"{path} is damaged ({error}); remove it to train from the beginning"
        ) from None
    return about, states


def store(
    folder: Path,
    about: Mapping[str, Any],
    curve: Curve,
    network: nn.Module,
    best: State,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Writes a checkpoint of a training run; ``about`` is what the run may not go on without."""
    rows = [[e.loss, e.metric, e.seconds] for e in curve.epochs]
    state = {
        f"{index}.{name}": tensor
        for index, tensors in optimizer.state_dict()["state"].items()
        for name, tensor in tensors.items()
    }
    save_checkpoint(
        folder,
        {**about, "curve": rows, "best": curve.best, "stopped": curve.stopped},
        {"network": network.state_dict(), "best": best, "optimizer": state},
    )


def restore(
    folder: Path,
    about: Mapping[str, Any],
    curve: Curve,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
) -> State | None:
    """Brings a training run to where its checkpoint was, and answers the best weights; ``None`` without one.

    Raises:
        InvalidInput: The checkpoint belongs to other data or settings, or is damaged.
    """
    found = load_checkpoint(folder)
    if found is None:
        return None
    told, states = found
    if other := [name for name, value in about.items() if told.get(name) != value]:
        raise InvalidInput(
            "resume",
            f"the checkpoint in {folder} was made with another {', '.join(other)}; resume with the same data and "
            "settings, or give an empty folder",
        )
    curve.epochs = [Epoch(*row) for row in told["curve"]]
    curve.best, curve.stopped = told["best"], told["stopped"]
    network.load_state_dict(states["network"])
    state: dict[int, State] = {}
    for key, tensor in states.get("optimizer", {}).items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    device = next(network.parameters()).device
    return {name: tensor.to(device) for name, tensor in states["best"].items()}
