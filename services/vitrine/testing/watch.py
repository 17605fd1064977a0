"""Watches what a plugin does to the batch that it is given."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from vitrine.interest import Interests
from vitrine.plugin import Batch, FeatureColumns

T = TypeVar("T")


class WatchedFeatures:
    """The feature columns of a batch, remembered as they were when they were handed out."""

    def __init__(self, features: FeatureColumns, *, writable: bool = False) -> None:
        self._features = features
        self._writable = writable
        self._given: dict[str, tuple[Any, bytes]] = {}

    def column(self, name: str, /) -> npt.NDArray[np.float32]:
        """As `vitrine.plugin.FeatureColumns` has it."""
        return self._hand(f"feature column '{name}'", self._features.column(name))

    def matrix(self, names: Sequence[str], /) -> npt.NDArray[np.float32]:
        """As `vitrine.plugin.FeatureColumns` has it."""
        return self._hand(f"the matrix of {len(names)} feature columns", self._features.matrix(names))

    def interests(self) -> Interests | None:
        """As `vitrine.plugin.FeatureColumns` has it."""
        interests = self._features.interests()
        return None if interests is None else self._hand("features.interests()", interests)

    def changed(self) -> list[str]:
        """Which of those are not as they were."""
        return [what for what, (value, before) in self._given.items() if digest(value) != before]

    def _hand(self, what: str, value: T) -> T:
        handed: T = copied(value, writable=self._writable)
        self._given[what] = (handed, digest(handed))
        return handed


def watched(batch: Batch, *, writable: bool = False) -> tuple[Batch, WatchedFeatures]:
    """A copy of a batch whose arrays can all be written to, or none."""
    features = WatchedFeatures(batch.features, writable=writable)
    parts = {f.name: getattr(batch, f.name) for f in fields(batch) if f.name != "features"}
    copies = {name: copied(part, writable=writable) for name, part in parts.items()}
    return replace(batch, **copies, features=features), features


def parts_of(batch: Batch) -> dict[str, bytes]:
    """A digest of each part of a batch, features apart, by a name such as ``items.price_micros``."""
    found: dict[str, bytes] = {}
    for field in fields(batch):
        part = getattr(batch, field.name)
        if field.name in {"items", "history", "recent"}:
            found |= {f"{field.name}.{f.name}": digest(getattr(part, f.name)) for f in fields(part)}
        elif field.name != "features":
            found[field.name] = digest(part)
    return found


def digest(value: object) -> bytes:
    """A hash of everything that a value holds."""
    state = hashlib.blake2b(digest_size=16)
    _feed(state, value)
    return state.digest()


def copied(value: Any, *, writable: bool) -> Any:
    """A deep copy, whose arrays can all be written to, or none."""
    if isinstance(value, np.ndarray):
        copy = value.copy()
        copy.flags.writeable = writable
        return copy
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: copied(getattr(value, f.name), writable=writable) for f in fields(value)}
        return replace(value, **parts)
    if isinstance(value, Mapping):
        return {key: copied(part, writable=writable) for key, part in value.items()}
    if isinstance(value, list):
        return [copied(part, writable=writable) for part in value]
    if isinstance(value, tuple):
        parts_of_it = [copied(part, writable=writable) for part in value]
        return type(value)(*parts_of_it) if hasattr(value, "_fields") else tuple(parts_of_it)
    # Strings and numbers: nobody can change these.
    return value


def _feed(state: "hashlib.blake2b", value: object) -> None:
    """Adds a value and what it holds."""
    if isinstance(value, np.ndarray):
        state.update(f"array {value.dtype} {value.shape}".encode())
        state.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _feed(state, getattr(value, field.name))
    elif isinstance(value, Mapping):
        state.update(f"mapping {len(value)}".encode())
        for key, part in value.items():
            _feed(state, key)
            _feed(state, part)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        state.update(f"sequence {len(value)}".encode())
        for part in value:
            _feed(state, part)
    else:
        state.update(f"{type(value).__name__} {value!r};".encode())
