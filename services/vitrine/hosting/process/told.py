"""What the server and a plugin's process tell each other besides columns: how to start, what was made, what failed."""

from typing import Any

import msgspec


class Start(msgspec.Struct, kw_only=True):
    """How a child starts.

    Attributes:
        path: ``sys.path`` of the server, where plugins are found.
        name: The plugin.
        bundle_path: The folder of the bundle; ``None`` without one.
        bundle_version: Its version.
        settings: The plugin's own settings, as they stand in the file.
        inference: What models run on (`vitrine.config.InferenceConfig`).
        memory_mb: How much it may take beyond what it starts with.
        seconds: Time to start.
    """

    path: list[str]
    name: str
    bundle_path: str | None
    bundle_version: str
    settings: dict[str, Any]
    inference: dict[str, Any]
    memory_mb: int
    seconds: float


class ToldRanker(msgspec.Struct, frozen=True):
    """Attributes of a ranker (`vitrine.plugin.Ranker`), and what else it can do.

    Attributes:
        name: As of a ranker.
        version: As of a ranker.
        reason: Number of its `ReasonCode`.
        budget_ms: As of a ranker.
        partial: As of `Partial`; false for a ranker that says nothing of it.
        after: As of `Follower`; empty for a ranker that says nothing of it.
        explains: Whether it is an `Explainer`.
        groups: As of an `Attributor`; ``None`` for a ranker that is none.
    """

    name: str
    version: str
    reason: int | None
    budget_ms: float
    partial: bool
    after: tuple[str, ...]
    explains: bool
    groups: tuple[str, ...] | None


class ToldColumn(msgspec.Struct, frozen=True):
    """A column that the plugin contributes (`vitrine.plugin.FeatureColumn`)."""

    name: str
    text: str
    version: int


class ToldBlock(msgspec.Struct, frozen=True):
    """Attributes of a block of columns (`vitrine.plugin.FeatureBlock`)."""

    columns: tuple[ToldColumn, ...]
    budget_ms: float


class Made(msgspec.Struct, frozen=True):
    """What a plugin made."""

    ranker: ToldRanker | None
    block: ToldBlock | None


class Failure(msgspec.Struct):
    """What went wrong.

    Attributes:
        text: What a caller may be told.
        missing: Whether the bundle lacks something (`vitrine.plugin.MissingData`).
        trace: For the server's log.
        fatal: Whether the process ends.
    """

    text: str
    missing: bool = False
    trace: str = ""
    fatal: bool = False


class Ask(msgspec.Struct):
    """A question for columns of the batch: a method of `vitrine.plugin.FeatureColumns` and its names."""

    method: str
    names: tuple[str, ...]


encode = msgspec.msgpack.Encoder().encode
