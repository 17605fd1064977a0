"""Where networks are trained."""

import warnings
from typing import NamedTuple

import torch

from vitrine.errors import ConfigError


class Device(NamedTuple):
    """A device of PyTorch, and its name for people."""

    torch: torch.device
    label: str


def choose_device(wanted: str = "auto") -> Device:
    """The GPU where there is one that works, else the CPU.

    Args:
        wanted: "auto", "cpu" or "cuda".

    Raises:
        ConfigError: CUDA is demanded and there is none, or the name is none of these.
    """
    if wanted not in {"auto", "cpu", "cuda"}:
        raise ConfigError(f"device {wanted!r} is not known; give auto, cpu or cuda")
    with warnings.catch_warnings():
        # A machine without a driver, or with an old one, is told by a warning.
        warnings.filterwarnings("ignore", module=r"torch\.cuda")
        there = wanted != "cpu" and torch.cuda.is_available()
    if there:
        return Device(torch.device("cuda"), f"CUDA ({torch.cuda.get_device_name()})")
    if wanted == "cuda":
        raise ConfigError(
            "device cuda was demanded, but PyTorch finds no GPU that it can use; check the driver with "
            "`nvidia-smi`, or give auto or cpu"
        )
    threads = torch.get_num_threads()
    return Device(torch.device("cpu"), f"CPU ({threads} thread{'s' if threads > 1 else ''})")
