"""The networks that are measured, made from nothing: weights decide what they answer, not how long that takes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

# As of the shop of `make bench`: feature columns, and the length of interest vectors.
_COLUMNS, _VECTOR = 88, 128
# Rows that the export is tried with.
_SAMPLE = 16
_TOLERANCE = 1e-3


def sizes() -> dict[str, tuple[int, ...]]:
    """Widths of the hidden layers by network: the one that shops have, and one of ninety times as many weights."""
    from vitrine_export.train.deep import DeepSettings

    return {"deep": DeepSettings().hidden, "large": (2048, 1024, 512)}


def make(folder: Path, wanted: Mapping[str, tuple[int, ...]] | None = None) -> None:
    """Writes them as ``NAME.onnx``, exported as training exports them. Needs what `vitrine train` needs."""
    import torch

    from vitrine_export.neural import export_onnx
    from vitrine_export.train.deep.network import DeepNetwork, crosses

    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    columns = random.standard_normal((_SAMPLE, _COLUMNS), np.float32)
    columns[random.random(columns.shape) < 0.1] = np.nan
    vectors = {
        name: random.standard_normal((_SAMPLE, _VECTOR), np.float32) for name in ("item", "short", "long")
    }
    crossed = crosses(*map(torch.from_numpy, vectors.values())).numpy()
    for name, hidden in (wanted or sizes()).items():
        torch.manual_seed(7)
        network = DeepNetwork(columns, crossed, hidden, dropout=0.0)
        file = export_onnx(name, network, {"features": columns, **vectors}, ("score",), tolerance=_TOLERANCE)
        (folder / f"{name}.onnx").write_bytes(file.data)
