"""ONNX and LightGBM models. The only package that imports onnxruntime, and of serving the only one with lightgbm."""

from vitrine.inference.runtime import check_runtime
from vitrine.inference.session import OnnxModel
from vitrine.inference.trees import TreeModel

__all__ = ["OnnxModel", "TreeModel", "check_runtime"]
