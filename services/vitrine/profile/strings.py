"""Lists of strings of a stored profile, unpacked when first asked for: one event in three needs hardly any of them."""

import msgspec

from vitrine.errors import Unavailable

# A list, or the MessagePack of one. What is packed keeps alive all of the bytes that it was read from.
Strings = list[str] | msgspec.Raw

_decode = msgspec.msgpack.Decoder(list[str]).decode


def unpack(strings: Strings) -> list[str]:
    """The list.

    Raises:
        Unavailable: The bytes are damaged.
    """
    if isinstance(strings, list):
        return strings
    try:
        return _decode(strings)
    except msgspec.MsgspecError:
        raise damaged() from None


def damaged() -> Unavailable:
    """The error for a profile whose bytes make no sense."""
    return Unavailable("a stored profile cannot be read; restore the store from a backup")
