"""Events in order: moments, each with the items of one shopper that nothing is known to lie between."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrine_export.train.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Moments:
    """e events by shopper and then in order; m moments in all, of which the events with equal times share one.

    Attributes:
        order: ``int64[e]``, the events.
        moment: ``int64[e]``, the moment of each of them, from 0.
        owner: ``int32[m]``, the shopper of each moment.
        visit: ``int64[m]``, the visit of each moment, from 0, by shopper.
    """

    order: npt.NDArray[np.int64]
    moment: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int32]
    visit: npt.NDArray[np.int64]

    @classmethod
    def of(cls, interactions: Interactions, gap: float) -> "Moments":
        """Those of ordered events.

        Args:
            interactions: Events; their rows stand in order where they have no times.
            gap: A pause of more than so many seconds ends a visit; without times a shopper makes one visit.
        """
        times = interactions.times
        if times is None:
            order = np.argsort(interactions.subjects, kind="stable")
        else:
            # The rows of equal times may stand in the order of identifiers, which must not tell anything.
            draw = np.random.default_rng(0).random(len(times))
            order = np.lexsort((draw, times, interactions.subjects))
        who = interactions.subjects[order]
        other = np.ones(len(order), np.bool_)
        other[1:] = who[1:] != who[:-1]
        begins, leaves = other, other
        if times is None:
            begins = np.ones(len(order), np.bool_)
        elif len(order):
            pause = np.diff(times[order], prepend=times[order[0]])
            begins, leaves = other | (pause > 0), other | (pause > gap)
        first = np.flatnonzero(begins)
        return cls(order, np.cumsum(begins) - 1, who[first], (np.cumsum(leaves) - 1)[first])
