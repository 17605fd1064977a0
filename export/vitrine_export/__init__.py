"""Data preparation, training, ONNX export and evaluation. Nothing here is needed to serve."""
