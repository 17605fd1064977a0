"""The documented input: which columns a file of events or of items may have, and what is in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from vitrine.dataset import AVAILABILITIES, EVENT_TYPES


class Kind(Enum):
    """What a cell holds; each has one parser in `cells`."""

    ID = auto()
    TEXT = auto()
    WORD = auto()
    CURRENCY = auto()
    TIME = auto()
    NUMBER = auto()
    PATH = auto()
    ATTRIBUTES = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an input file.

    Attributes:
        name: Its name.
        kind: What its cells hold.
        required: Whether a file without it is refused.
        words: The words that a `Kind.WORD` may be.
        most: Longest text in bytes; longer ones are cut.
    """

    name: str
    kind: Kind
    required: bool = False
    words: tuple[str, ...] = ()
    most: int = 4096


def _table(*columns: Column) -> Mapping[str, Column]:
    return {c.name: c for c in columns}


EVENT_COLUMNS = _table(
    Column("event_id", Kind.ID),
    Column("user_id", Kind.ID),
    Column("anonymous_id", Kind.ID),
    Column("item_id", Kind.ID, required=True),
    Column("type", Kind.WORD, required=True, words=EVENT_TYPES),
    Column("time", Kind.TIME),
    Column("value", Kind.NUMBER),
    Column("currency", Kind.CURRENCY),
    Column("quantity", Kind.NUMBER),
    Column("rating", Kind.NUMBER),
    Column("text", Kind.TEXT),
    Column("dwell", Kind.NUMBER),
    Column("request_id", Kind.ID),
    Column("scene", Kind.TEXT, most=128),
    Column("channel", Kind.TEXT, most=128),
    Column("attributes", Kind.ATTRIBUTES),
)

ITEM_COLUMNS = _table(
    Column("item_id", Kind.ID, required=True),
    Column("title", Kind.TEXT, most=1024),
    Column("description", Kind.TEXT, most=16_384),
    Column("category_path", Kind.PATH),
    Column("brand", Kind.TEXT, most=256),
    Column("price", Kind.NUMBER),
    Column("currency", Kind.CURRENCY),
    Column("availability", Kind.WORD, words=AVAILABILITIES),
    Column("created_time", Kind.TIME),
    Column("attributes", Kind.ATTRIBUTES),
)
