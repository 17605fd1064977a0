"""Gives freed memory back to the system."""

import ctypes
from contextlib import suppress


def give_back() -> None:
    """Tells the C library to return what was freed; it keeps much of it otherwise. Does nothing where it cannot."""
    # Only glibc has it (malloc_trim(3)).
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
