"""What the tables of a kind may say, and what is said where they say something else."""

import math
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from vitrine.errors import ConfigError
from vitrine.validation import nearest
from vitrine_export.exams import HOLDOUTS
from vitrine_export.train.parameters import Parameters, RerankerSettings


class Range(NamedTuple):
    """From which number to which; ``open`` without the first one itself."""

    low: float = 0.0
    high: float = math.inf
    open: bool = False

    @property
    def text(self) -> str:
        """In words."""
        if self.high < math.inf:
            return f"{f'above {self.low:g}, at most' if self.open else f'from {self.low:g} to'} {self.high:g}"
        return f"above {self.low:g}" if self.open else f"of at least {self.low:g}"

    def __contains__(self, value: object) -> bool:
        """Whether a number is in it; infinity and NaN never are."""
        if not isinstance(value, int | float) or not math.isfinite(value):
            return False
        return (self.low < value if self.open else self.low <= value) and value <= self.high


_COUNT, _SHARE, _ABOVE_0 = Range(1), Range(0, 1), Range(open=True)
# A number without a range here may be any.
RANGES: Mapping[type, Mapping[str, Range]] = {
    Parameters: {
        "dimensions": Range(2, 1024),
        "neighbours": _COUNT,
        "half_life_days": _ABOVE_0,
        "max_history": _COUNT,
        "session_gap_minutes": _ABOVE_0,
        "ridge": _ABOVE_0,
        # In multiples of the ridge: no share of a whole.
        "content_share": Range(),
        "max_ease_items": Range(),
        "factors": Range(),
        "follows_exponent": Range(0, 2),
        "max_features": _COUNT,
        "label_windows": Range(1, 20),
        "label_lists": _COUNT,
        "interest_epochs": _COUNT,
        "interest_minutes": _ABOVE_0,
        "trials": Range(),
        "tune_minutes": _ABOVE_0,
    },
    RerankerSettings: {
        # LightGBM's own bound.
        "leaves": Range(2, 131_072),
        "learning_rate": Range(0, 1, open=True),
        "rounds": _COUNT,
        "l2": Range(),
        "feature_share": Range(0, 1, open=True),
        "rows_a_leaf": _COUNT,
        "negatives": _COUNT,
    },
}
CHOICES: Mapping[str, Collection[str]] = {
    "holdout": tuple(HOLDOUTS),
    "device": ("auto", "cpu", "cuda"),
    "objective": ("lambdarank", "binary"),
}


def check(given: Any, settings: type[Parameters] | type[RerankerSettings], where: str) -> None:
    """Refuses what is no table, keys that there are not, and values of another type or out of range.

    Args:
        given: The table, as it stands in the file; tables in it are not looked at.
        settings: What it is read as.
        where: File and table, for messages.

    Raises:
        ConfigError: It is one of these; names file, table and key.
    """
    if not isinstance(given, Mapping):
        raise ConfigError(f"{where} is not a table")
    usual = settings()
    known = {field.name: getattr(usual, field.name) for field in fields(settings)}
    for key, value in given.items():
        if key not in known:
            raise ConfigError(f"{where}: unknown key '{key}'; {nearest(key, known)}")
        if isinstance(value, Mapping) and isinstance(known[key], RerankerSettings):
            continue
        if wrong := _wrong(key, value, known[key], RANGES[settings].get(key)):
            raise ConfigError(f"{where}: {key} = {_shown(value)}: {wrong}")


def _wrong(key: str, value: Any, usual: Any, within: Range | None) -> str:
    """What a value should be, if it is something else."""
    if isinstance(usual, RerankerSettings):
        return "is a table: its keys stand below [training.reranker]"
    if isinstance(usual, bool):
        return "" if isinstance(value, bool) else "must be true or false"
    if isinstance(usual, str):
        choices = CHOICES[key]
        return "" if isinstance(value, str) and value in choices else f"must be one of {', '.join(choices)}"
    # Without a default: a number that is found unless told.
    whole = isinstance(usual, int)
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if number and (within is None or value in within):
        return ""
    what = "a whole number" if whole else "a number"
    return f"must be {what}" + (f" {within.text}" if within else "")


def _shown(value: Any) -> str:
    """A value as it stands in a TOML file."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value}"
