"""The Python client. It needs gRPC and protobuf, nothing of what a server needs.

    from vitrine.client import Vitrine, event

    with Vitrine("localhost:50051") as shop:
        shop.record_events([event("view", "ann", "mug-1")])
        for item in shop.recommend("ann", scene="home", limit=10).items:
            print(item.item_id, item.reason.text)

Everything that the services answer is the generated message, typed and documented in ``vitrine.api``.
"""

from vitrine.client.aio import AsyncVitrine
from vitrine.client.requests import Anonymous, event, item
from vitrine.client.sync import Vitrine
from vitrine.errors import (
    FieldViolation,
    InvalidInput,
    NotFound,
    NotReady,
    Timeout,
    TooLarge,
    Unavailable,
    VitrineError,
)

__all__ = [
    "Anonymous",
    "AsyncVitrine",
    "FieldViolation",
    "InvalidInput",
    "NotFound",
    "NotReady",
    "Timeout",
    "TooLarge",
    "Unavailable",
    "Vitrine",
    "VitrineError",
    "event",
    "item",
]
