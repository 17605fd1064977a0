"""Figures that are measured elsewhere, kept as JSON for the page."""

from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


def keep(figures: msgspec.Struct, path: Path) -> None:
    """Writes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")


def kept_as(kind: type[T], path: Path) -> T | None:
    """Those of the last run, if there was one.

    Raises:
        msgspec.MsgspecError: The file is not as `keep` writes it.
    """
    return msgspec.json.decode(path.read_bytes(), type=kind) if path.exists() else None
