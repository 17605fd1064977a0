"""Reads ``.npy`` files of plain numbers, format version 1.0 as `numpy.save` writes it, and nothing else.

NumPy's own reader parses the header as Python, with a second attempt for files of Python 2; a damaged one makes it
raise whatever the parser raises.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': (?P<type>'[^']*'|\[.*\]), 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:\d+(?:, \d+)*,?)?)\), \} *\n"
)


class PickledError(ValueError):
    """The array holds Python objects, which NumPy stores as a pickle."""


def read_npy(data: memoryview, dtypes: Sequence[str]) -> npt.NDArray[Any]:
    """An array on these bytes, which it shares; read-only.

    Args:
        data: The file.
        dtypes: Types that it may have, little-endian.

    Raises:
        PickledError: It holds Python objects.
        ValueError: It is no such file, of another type, or its length is not that of its shape; says which.
    """
    start = len(_MAGIC) + 2
    if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
        raise ValueError("not a .npy file of version 1.0")
    body = start + int.from_bytes(data[start - 2 : start], "little")
    header = _HEADER.fullmatch(data[start:body])
    if header is None:
        raise ValueError("not a .npy file, its header is damaged")
    found = header["type"].decode("latin-1").strip("'")
    if "O" in found:
        raise PickledError("holds pickled Python objects")
    allowed = {np.dtype(dtype).newbyteorder("<").str: dtype for dtype in dtypes}
    if found not in allowed or header["fortran"] == b"True":
        order = ", columns first," if header["fortran"] == b"True" else ""
        raise ValueError(f"has type {found}{order} instead of {' or '.join(dtypes)}")
    shape = tuple(int(length) for length in re.findall(rb"\d+", header["shape"]))
    count = math.prod(shape)
    if body + count * np.dtype(found).itemsize != len(data):
        raise ValueError(f"its length does not fit its shape {shape}")
    return np.frombuffer(data, found, count, body).reshape(shape)
