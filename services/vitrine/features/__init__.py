"""Feature columns of models: one piece of code computes them, in training and in serving alike."""

from vitrine.features.columns import ALWAYS, Column, column, component_columns, keys_of, names_of, problem
from vitrine.features.features import Features

__all__ = ["ALWAYS", "Column", "Features", "column", "component_columns", "keys_of", "names_of", "problem"]
