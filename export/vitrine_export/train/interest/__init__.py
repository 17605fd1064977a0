"""The interest model: what a shopper will turn to next, from what the shopper did."""

from vitrine_export.train.interest.fit import FittedInterest, fit_interest
from vitrine_export.train.interest.settings import InterestSettings
from vitrine_export.train.interest.training import Trained, train_interest

__all__ = ["FittedInterest", "InterestSettings", "Trained", "fit_interest", "train_interest"]
