"""What every neural model shares: device, training loop, checkpoints, learning curve and verified export to ONNX."""

from vitrine_export.neural.curve import Curve, Epoch
from vitrine_export.neural.device import Device, choose_device
from vitrine_export.neural.loop import LoopSettings, Task, train_network
from vitrine_export.neural.onnx_file import export_onnx

__all__ = [
    "Curve",
    "Device",
    "Epoch",
    "LoopSettings",
    "Task",
    "choose_device",
    "export_onnx",
    "train_network",
]
