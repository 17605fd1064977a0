"""ONNX models. The only package that imports onnxruntime."""

from vitrine.inference.runtime import check_runtime
from vitrine.inference.session import OnnxModel

__all__ = ["OnnxModel", "check_runtime"]
