"""A stored profile whose bytes are not those that were written, or make no sense."""

from vitrine.errors import Unavailable


class Damaged(Unavailable):
    """It cannot be read; its events are in the log."""


class LogDamaged(Unavailable):
    """The log that it was to be counted again from makes no sense either."""


# What a damaged profile raises wherever it is noticed: a name too few, a cell too many, an item that is not there.
DAMAGE = (Damaged, LookupError, ValueError, TypeError, OverflowError)


def damaged() -> Damaged:
    """The error for it."""
    return Damaged("a stored profile cannot be read; restore the store from a backup")
