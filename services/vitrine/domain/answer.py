"""What every answer carries beside its items: versions, what was degraded, and reasons."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple


class DegradationCode(IntEnum):
    """Why a part is missing or second best; the numbers are those of the protocol."""

    TIMEOUT = 1
    UNAVAILABLE = 2
    FAILED = 3
    STALE = 4
    EMPTY = 5
    OFF = 6


class Degradation(NamedTuple):
    """One part of an answer that is missing or second best.

    Attributes:
        component: "profile", "retrieval", "ranking", "catalog", "bundle", "source:NAME" or "ranker:NAME".
        code: What happened to it.
        message: One sentence for an engineer, without internals.
    """

    component: str
    code: DegradationCode
    message: str


class ReasonCode(IntEnum):
    """Why an item is shown; the numbers are those of the protocol."""

    POPULAR = 1
    TRENDING = 2
    CO_VISITATION = 3
    TASTE = 4
    SIMILAR_CONTENT = 5
    BOUGHT_AGAIN = 6
    NEW_ARRIVAL = 7
    SEARCH_MATCH = 8


class Reason(NamedTuple):
    """Why an item is shown: a code, the items it refers to, and a sentence for the shopper."""

    code: ReasonCode | None
    item_ids: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Versions:
    """What an answer was computed with: bundle, server, configuration, and ``(name, version)`` of rankers."""

    bundle: str = ""
    server: str = ""
    config: str = ""
    plugins: tuple[tuple[str, str], ...] = field(default=())
