"""Feature columns of models: one piece of code computes them, in training and in serving alike."""

from vitrine.domain.columns import (
    ALWAYS,
    Column,
    column,
    component_columns,
    contributed_name,
    keys_of,
    names_of,
    pinned,
    plugins_in,
    problem,
    rankers_in,
)
from vitrine.features.contributed import columns_of, unlike
from vitrine.features.features import Features, NoFeatures

__all__ = [
    "ALWAYS",
    "Column",
    "Features",
    "NoFeatures",
    "column",
    "columns_of",
    "component_columns",
    "contributed_name",
    "keys_of",
    "names_of",
    "pinned",
    "plugins_in",
    "problem",
    "rankers_in",
    "unlike",
]
