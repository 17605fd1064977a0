"""The memory of this process."""

import ctypes
import gc
import sys

import psutil  # type: ignore[import-untyped]


def resident() -> int:
    """Bytes, after what is free was given back."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return int(psutil.Process().memory_info().rss)
