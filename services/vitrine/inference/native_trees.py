"""LightGBM's library by its C interface, without its Python package.

That package imports scikit-learn and SciPy's statistics where they are installed, a second of CPU that each server
would pay at its start; the numbers come from the same library, to the last bit.
"""

import ctypes
import sys
from enum import IntEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vitrine.errors import ConfigError

Float64 = npt.NDArray[np.float64]

_FLOAT32, _ROWS = 0, 1
_FUNCTIONS = ("LGBM_BoosterLoadModelFromString", "LGBM_BoosterPredictForMat", "LGBM_BoosterFree")
_NAMES = {"win32": "lib_lightgbm.dll", "darwin": "lib_lightgbm.dylib"}


class Predicts(IntEnum):
    """What to predict; the numbers are the library's."""

    RAW = 1
    LEAF = 2
    CONTRIBUTIONS = 3


class NativeTrees:
    """Boosted trees with one score a row; safe to call from several threads.

    Args:
        text: The model as LightGBM saves it.
        features: Columns of an input.
        trees: Trees of the model.
        threads: Of a prediction; the library keeps the number for the whole process.

    Raises:
        ValueError: The library refuses the model, and says why.
        ConfigError: The library is not installed.
    """

    def __init__(self, text: str, features: int, trees: int, threads: int) -> None:
        self._library = _library()
        self._features = features
        self._width = {Predicts.RAW: 1, Predicts.LEAF: trees, Predicts.CONTRIBUTIONS: features + 1}
        self._settings = ctypes.c_char_p(f"num_threads={threads}".encode())
        self._handle = ctypes.c_void_p()
        iterations = ctypes.c_int()
        done = self._library.LGBM_BoosterLoadModelFromString(
            text.encode(), ctypes.byref(iterations), ctypes.byref(self._handle)
        )
        self._check(done)

    def predict(self, x: npt.NDArray[np.float32], what: Predicts) -> Float64:
        """``float64[n, w]``: w is 1, the number of trees, or one more than features, by what is predicted.

        Args:
            x: ``float32[n, f]``, by rows in one piece, n > 0; NaN stands for what is missing.
            what: Scores, leaves or shares.

        Raises:
            ValueError: The library refuses the input, and says why.
        """
        found = np.empty((len(x), self._width[what]))
        length = ctypes.c_int64()
        done = self._library.LGBM_BoosterPredictForMat(
            self._handle,
            ctypes.c_void_p(x.ctypes.data),
            _FLOAT32,
            ctypes.c_int32(len(x)),
            ctypes.c_int32(self._features),
            _ROWS,
            int(what),
            0,
            -1,
            self._settings,
            ctypes.byref(length),
            ctypes.c_void_p(found.ctypes.data),
        )
        self._check(done)
        if length.value != found.size:
            raise ValueError(f"the library answered {length.value} numbers instead of {found.size}")
        return found

    def _check(self, done: int) -> None:
        if done:
            raise ValueError(self._library.LGBM_GetLastError().decode(errors="replace"))

    def __del__(self) -> None:
        """Frees the model."""
        handle = getattr(self, "_handle", None)
        if handle:
            self._library.LGBM_BoosterFree(handle)
            self._handle = ctypes.c_void_p()


@cache
def _library() -> Any:
    """The library, loaded once."""
    spec = find_spec("lightgbm")
    name = _NAMES.get(sys.platform, "lib_lightgbm.so")
    package = None if spec is None or spec.origin is None else Path(spec.origin).parent
    for folder in () if package is None else (package / "lib", package / "bin", package.parent):
        if (folder / name).is_file():
            try:
                library = ctypes.CDLL(str(folder / name))
                library.LGBM_GetLastError.restype = ctypes.c_char_p
                for function in _FUNCTIONS:
                    getattr(library, function)
            except (OSError, AttributeError) as error:
                raise ConfigError(
                    f"LightGBM's library cannot be loaded ({error}); install what it misses, most often OpenMP "
                    "(`apt install libgomp1`), or run `pip install --force-reinstall lightgbm`"
                ) from None
            return library
    raise ConfigError("LightGBM's library is not installed; run `pip install lightgbm`")
