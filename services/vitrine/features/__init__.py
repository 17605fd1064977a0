"""Feature columns of models: one piece of code computes them, in training and in serving alike."""

from vitrine.domain.columns import (
    ALWAYS,
    Column,
    column,
    component_columns,
    keys_of,
    names_of,
    problem,
    rankers_in,
)
from vitrine.features.features import Features, NoFeatures

__all__ = [
    "ALWAYS",
    "Column",
    "Features",
    "NoFeatures",
    "column",
    "component_columns",
    "keys_of",
    "names_of",
    "problem",
    "rankers_in",
]
