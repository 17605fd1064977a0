"""The text of an item, and how to see that it changed."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from vitrine.domain.items import Item


def text_hashes(items: Iterable[Item]) -> npt.NDArray[np.uint64]:
    """``uint64[m]``: a hash of title, description, category path and brand; the same on every machine."""
    digests = b"".join(
        blake2b(
            "\x1f".join((i.title, i.description, i.brand, *i.category_path)).encode("utf-8", "surrogatepass"),
            digest_size=8,
        ).digest()
        for i in items
    )
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def sentence(item: Item) -> str:
    """The item as one text, for a sentence encoder."""
    return ". ".join(part for part in (item.title, item.description, item.category, item.brand) if part)
