"""What plugins say of themselves, read once when they are made: nothing that they do later can surprise a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vitrine.domain.answer import ReasonCode
from vitrine.features.contributed import columns_of, unlike
from vitrine.hosting.plain import words
from vitrine.plugin import Attributor, Explainer, FeatureBlock, FeatureColumn, Ranker

# A budget beyond this is a mistake of units.
_MOST_BUDGET_MS = 60_000
# Every answer carries it.
_LONGEST_VERSION = 100


class Misfit(Exception):
    """A part of a plugin is not what the contract says; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class RankerFacts:
    """Attributes of a ranker, as `vitrine.plugin` has them.

    Attributes:
        name: As of `Ranker`.
        version: Likewise.
        reason: Likewise.
        budget_ms: Likewise.
        after: As of `Follower`; empty for one that says nothing of it.
        partial: As of `Partial`; false for one that says nothing of it.
        explains: Whether it is an `Explainer`.
        groups: As of `Attributor`; ``None`` for one that is none.
    """

    name: str
    version: str
    reason: ReasonCode | None
    budget_ms: float
    after: tuple[str, ...] = ()
    partial: bool = False
    explains: bool = False
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """Attributes of a block of feature columns."""

    columns: tuple[FeatureColumn, ...]
    budget_ms: float


def ranker_facts(name: str, made: object) -> RankerFacts:
    """The facts of a ranker that the entry point ``name`` made.

    Raises:
        Misfit: It is not what `vitrine.plugin.Ranker` says; the text says what is wrong.
    """
    if not isinstance(made, Ranker):
        raise Misfit("vitrine_make_ranker returned no Ranker; see vitrine.plugin.Ranker")
    # The protocol sees that they are there, not what they are.
    told: Any = made
    # Each is read once: what a property says the next time was not looked at.
    its_name, version, reason = told.name, told.version, told.reason
    for attribute, value in (("name", its_name), ("version", version)):
        if not isinstance(value, str):
            raise Misfit(f"{attribute} of the ranker must be a string")
    if its_name != name:
        raise Misfit(f"name of the ranker is '{its_name}', and must be that of its entry point, '{name}'")
    if len(version) > _LONGEST_VERSION:
        raise Misfit(f"version of the ranker must have at most {_LONGEST_VERSION} characters")
    if reason is not None and not isinstance(reason, ReasonCode):
        raise Misfit("reason of the ranker must be a ReasonCode or None")
    return RankerFacts(
        name=name,
        version=words(version),
        reason=reason,
        budget_ms=_budget(told.budget_ms),
        after=_names(told, "after") or (),
        partial=bool(getattr(told, "partial", False)),
        explains=isinstance(made, Explainer),
        groups=_names(told, "groups") if isinstance(made, Attributor) else None,
    )


def block_facts(plugin: str, pins: Mapping[str, int], made: object) -> BlockFacts:
    """The facts of a block of columns.

    Args:
        plugin: Whose.
        pins: Versions of its columns that the models of a bundle learned from, by name.
        made: The block.

    Raises:
        Misfit: It is not what `vitrine.plugin.FeatureBlock` says, or of another version; the text says which.
    """
    if not isinstance(made, FeatureBlock):
        raise Misfit("vitrine_make_features returned no FeatureBlock; see vitrine.plugin.FeatureBlock")
    columns = tuple(made.columns)
    try:
        other = unlike(pins, columns_of(plugin, columns))
    except ValueError as error:
        raise Misfit(str(error)) from None
    if other:
        raise Misfit(other)
    return BlockFacts(columns, _budget(made.budget_ms))


def _names(told: Any, attribute: str) -> tuple[str, ...] | None:
    value = getattr(told, attribute, None)
    if value is not None and not (isinstance(value, tuple) and all(isinstance(one, str) for one in value)):
        raise Misfit(f"{attribute} of the ranker must be a tuple of names")
    return value


def is_budget(told: object) -> bool:
    """Whether it is a number of milliseconds above 0, which NaN is not, and at most a minute."""
    return isinstance(told, int | float) and not isinstance(told, bool) and 0 < told <= _MOST_BUDGET_MS


def _budget(told: Any) -> float:
    if is_budget(told):
        return float(told)
    raise Misfit(f"budget_ms must be a number of milliseconds, above 0 and at most {_MOST_BUDGET_MS:,}")
