"""The first fields of an event in the log, without building the rest."""

import msgspec

from vitrine.decoding import UNREADABLE
from vitrine.domain.items import ItemKeys
from vitrine.profile.rows import Row
from vitrine.profile.state import TYPE_NAMES


class Logged(msgspec.Struct, array_like=True, gc=False):
    """What is counted of an `Event` and what identifies it."""

    event_id: str
    subject: msgspec.Raw
    item_id: str
    type: int
    time: float
    value_micros: msgspec.Raw
    currency: msgspec.Raw
    quantity: float
    rating: float

    def row(self, seq: int, keys: ItemKeys | None) -> Row:
        """What counting it takes."""
        return Row(seq, self.type, self.time, self.item_id, self.quantity, self.rating, keys)


# Of any time that an event can have: far more than the year 9999.
_MOST_SECONDS = 1e12

# Raises what is in `UNREADABLE`.
decode_logged = msgspec.msgpack.Decoder(Logged).decode


def read_logged(event: bytes) -> Logged | None:
    """An event of the log; ``None`` when its bytes make no sense."""
    try:
        logged = decode_logged(event)
    except (*UNREADABLE, TypeError):
        return None
    return logged if 0 < logged.type < len(TYPE_NAMES) and abs(logged.time) < _MOST_SECONDS else None


def event_id_of(event: bytes) -> str | None:
    """The identifier of an event of the log; ``None`` when its bytes make no sense."""
    try:
        return decode_logged(event).event_id
    except (*UNREADABLE, TypeError):
        return None
