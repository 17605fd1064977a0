"""Opaque tokens: watermarks, cursors and revisions are sequence numbers that callers cannot mistake for numbers."""

import re

from vitrine.errors import InvalidInput

# Exactly what `encode_token` writes of a 63-bit number; `int` alone would take signs, spaces and more.
_DIGITS = re.compile(r"[0-9a-f]{1,16}")


def encode_token(kind: str, sequence: int) -> str:
    """A token such as ``w-1f`` for watermark 31."""
    return f"{kind}-{sequence:x}"


def decode_token(kind: str, token: str, field: str) -> int:
    """The sequence number in a token; 0 for an empty one.

    Raises:
        InvalidInput: The token is not of this kind; ``field`` is named.
    """
    if not token:
        return 0
    prefix, _, digits = token.partition("-")
    if prefix == kind and _DIGITS.fullmatch(digits):
        return int(digits, 16)
    raise InvalidInput(field, "is not a token that this service gave out; pass it on as you received it")


WATERMARK = "w"
CURSOR = "c"
REVISION = "r"
