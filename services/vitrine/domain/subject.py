"""Who a request is about."""

from typing import NamedTuple, Self


class Subject(NamedTuple):
    """A shopper: a known customer or an anonymous visitor.

    Attributes:
        id: Opaque UTF-8 identifier of 1 to 128 bytes.
        anonymous: Whether ``id`` is that of a visitor rather than of a customer.
    """

    id: str
    anonymous: bool = False

    @property
    def key(self) -> str:
        """The subject as one string, for store keys and logs: ``u:ID`` or ``a:ID``."""
        return f"a:{self.id}" if self.anonymous else f"u:{self.id}"

    @classmethod
    def from_key(cls, key: str) -> Self:
        """The inverse of `key`."""
        return cls(key[2:], key.startswith("a:"))
