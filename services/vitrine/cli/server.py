"""Asks a running server, for the commands that do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vitrine.client import Vitrine


@contextmanager
def server_at(address: str) -> "Iterator[Vitrine]":
    """A client of the server at an address.

    Raises:
        Unavailable: None answers there; says what to do.
    """
    from vitrine.client import Unavailable, Vitrine

    with Vitrine(address) as shop:
        try:
            yield shop
        except Unavailable:
            raise Unavailable(
                f"no server answers at {address}; start one with `vitrine serve`, or name it with --address"
            ) from None
