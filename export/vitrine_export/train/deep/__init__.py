"""The network `deep`: learns from lists with labels what a shopper takes."""

from vitrine_export.train.deep.fit import FittedDeep, fit_deep
from vitrine_export.train.deep.settings import DeepSettings

__all__ = ["DeepSettings", "FittedDeep", "fit_deep"]
