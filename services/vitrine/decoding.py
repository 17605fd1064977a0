"""Bytes that come from a disk or from another process, and may make no sense."""

import msgspec

# What decoding such bytes raises: of text that is no UTF-8, and of lists in lists without end, msgspec tells in Python's
# own words rather than in its own.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
