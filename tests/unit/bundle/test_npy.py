"""Arrays are read as they were written; a damaged header is a `ValueError`, never anything else."""

import io
from typing import Any

import numpy as np
import pytest

from vitrine.bundle.npy import PickledError, read_npy


def stored(array: Any) -> memoryview:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return memoryview(buffer.getvalue())


@pytest.mark.parametrize("shape", [(), (0,), (3,), (0, 4), (2, 3), (2, 1, 5)])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint64", "bool"])
def test_arrays_come_back(shape: tuple[int, ...], dtype: str) -> None:
    array = (np.random.default_rng(0).random(shape) * 9).astype(dtype)
    found = read_npy(stored(array), ("int32", dtype))
    assert found.dtype == array.dtype
    assert not found.flags.writeable
    np.testing.assert_array_equal(found, array, strict=True)


def test_any_flipped_bit_of_a_header_is_refused_or_says_the_same() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    data = bytes(stored(array))
    kept = 0
    for bit in range(128 * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            found = read_npy(memoryview(changed).toreadonly(), ("float32",))
        except ValueError:
            continue
        np.testing.assert_array_equal(found, array, strict=True)
        kept += 1
    assert kept == 0


@pytest.mark.parametrize("length", [0, 5, 9, 10, 60, 127, 128, 151])
def test_a_cut_off_file_is_refused(length: int) -> None:
    data = stored(np.arange(6, dtype=np.float32))
    with pytest.raises(ValueError, match=r"not a \.npy file|does not fit"):
        read_npy(data[:length], ("float32",))


def test_python_objects_are_told_apart() -> None:
    for dtype in ("O", [("a", "O")]):
        buffer = io.BytesIO()
        np.save(buffer, np.zeros(1, dtype), allow_pickle=True)
        with pytest.raises(PickledError, match="pickled Python objects"):
            read_npy(memoryview(buffer.getvalue()), ("float32",))


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros(2), "has type <f8 instead of float32 or int64"),
        (np.zeros(2, ">f4"), "has type >f4 instead of"),
        (np.zeros((2, 3), np.float32, order="F"), "columns first"),
        (np.zeros(2, [("a", "f4")]), "has type"),
    ],
)
def test_other_types_are_refused(array: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_npy(stored(array), ("float32", "int64"))


def test_a_shape_beyond_all_numbers_is_refused() -> None:
    data = bytes(stored(np.zeros(4, np.float32)))
    forged = data.replace(
        b"'shape': (4,), }" + b" " * 36, b"'shape': (4294967296, 4294967296, 4), }".ljust(52)
    )
    assert forged != data
    with pytest.raises(ValueError, match="does not fit its shape"):
        read_npy(memoryview(forged), ("float32",))
