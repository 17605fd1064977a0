"""Identifiers: what is allowed, and the order of last resort."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from vitrine.errors import InvalidInput

MAX_ID_BYTES = 128


def check_id(value: str, field: str) -> str:
    """Returns ``value`` when it is an identifier of 1 to 128 bytes.

    Raises:
        InvalidInput: It is empty or too long; ``field`` is named.
    """
    if not value:
        raise InvalidInput(field, "is empty; send an identifier of 1 to 128 bytes")
    # A character takes at most four bytes, so most identifiers need no encoding to be known as short enough.
    if len(value) > MAX_ID_BYTES // 4 and (size := len(value.encode())) > MAX_ID_BYTES:
        raise InvalidInput(field, f"has {size} bytes; an identifier has at most {MAX_ID_BYTES}")
    return value


def tie_keys(item_ids: Iterable[str], seed: int) -> npt.NDArray[np.uint64]:
    """``uint64[n]``: a hash of seed and identifier that decides between equal scores.

    The same on every machine and in every process, unrelated to the order in which items were added.
    """
    key = seed.to_bytes(8, "little", signed=True)
    digests = b"".join(blake2b(i.encode(), digest_size=8, key=key).digest() for i in item_ids)
    return np.frombuffer(digests, "<u8").astype(np.uint64)
