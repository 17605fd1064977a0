"""Training: a data set in, a bundle out."""

from vitrine_export.train.parameters import Parameters
from vitrine_export.train.run import TrainReport, train

__all__ = ["Parameters", "TrainReport", "train"]
