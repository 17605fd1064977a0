"""What a shopper is interested in, on its way from retrieval to ranking."""

import numpy as np
import numpy.typing as npt

from vitrine.errors import InvalidInput

# Short-term, long-term, and both together.
_VECTORS = 3
# No model tells larger ones. Their products would overflow: the rankers that read them would fail, for everybody in the end.
_LARGEST = 1e6


def interests_to_bytes(vectors: npt.NDArray[np.float32]) -> bytes:
    """``float32[3, d]`` as sent."""
    return vectors.astype("<f4", copy=False).tobytes()


def interests_from_bytes(data: bytes, field: str) -> npt.NDArray[np.float32] | None:
    """``float32[3, d]``, read-only; ``None`` where nothing was sent, or nothing to calculate with.

    Raises:
        InvalidInput: It is no such thing; names ``field``.
    """
    if not data:
        return None
    if len(data) % (4 * _VECTORS):
        raise InvalidInput(field, f"has {len(data)} bytes; send it as you received it, or leave it out")
    vectors = np.frombuffer(data, "<f4").reshape(_VECTORS, -1)
    largest = np.abs(vectors).max()
    if not np.isfinite(largest):
        raise InvalidInput(field, "has a value that is NaN or infinite; send it as you received it")
    return vectors.astype(np.float32, copy=False) if largest <= _LARGEST else None
