"""Lists of strings of a stored profile, unpacked when first asked for: one event in three needs hardly any of them."""

import msgspec

from vitrine.decoding import UNREADABLE
from vitrine.profile.damage import damaged

# A list, or the MessagePack of one. What is packed keeps alive all of the bytes that it was read from.
Strings = list[str] | msgspec.Raw

_decode = msgspec.msgpack.Decoder(list[str]).decode


def unpack(strings: msgspec.Raw, cells: int, width: int = 1) -> list[str]:
    """The list, of as many as have ``width`` cells each.

    Raises:
        Damaged: The bytes make no sense, or their number is another.
    """
    try:
        found = _decode(strings)
    except UNREADABLE:
        raise damaged() from None
    if len(found) * width != cells:
        raise damaged()
    return found
