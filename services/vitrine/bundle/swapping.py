"""What is told of the bundle that a process serves, and of a switch to another."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol


class ServedModel(NamedTuple):
    """A model of the bundle: its name, "onnx" or "lightgbm", and what runs it ("cpu", "cuda")."""

    name: str
    kind: str
    provider: str


@dataclass(frozen=True, slots=True)
class Served:
    """What is served.

    Attributes:
        version: Version of the bundle; empty when there is none.
        since: Since when, Unix seconds.
        previous_version: What requests on their way may still ask for; empty when there is nothing.
        models: Models of the bundle, by name.
    """

    version: str
    since: float
    previous_version: str
    models: tuple[ServedModel, ...]


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload did: the versions after and before it, whether they differ, and how many seconds it took."""

    version: str
    previous_version: str
    switched: bool
    seconds: float


class Swapping(Protocol):
    """Knows what is served, and loads the folder again."""

    def served(self) -> Served:
        """What is served now."""
        ...

    def reload(self, expected_version: str = "") -> Reloaded:
        """Switches to what lies in the folder; takes seconds.

        Args:
            expected_version: Switch to this version or not at all; "" for whatever is there.

        Raises:
            BundleRefused: It is not switched to, and why.
        """
        ...
