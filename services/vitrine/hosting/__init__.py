"""Runs plugins so that none of them can hurt the service: budgets, checks, a breaker, processes of their own."""

from vitrine.hosting.calls import Calls
from vitrine.hosting.discovery import Plugin, discover
from vitrine.hosting.facts import BlockFacts, RankerFacts
from vitrine.hosting.hosted import Hosted, Missing, State
from vitrine.hosting.leg import DIRECT, Leg, Superseded
from vitrine.hosting.making import make_rankers
from vitrine.hosting.observer import SILENT, Observer
from vitrine.hosting.patience import run_watched
from vitrine.hosting.rankers import Rankers
from vitrine.hosting.remembering import Remembering
from vitrine.hosting.run import Run, RunningLeg
from vitrine.hosting.waiting import Waiter

__all__ = [
    "DIRECT",
    "SILENT",
    "BlockFacts",
    "Calls",
    "Hosted",
    "Leg",
    "Missing",
    "Observer",
    "Plugin",
    "RankerFacts",
    "Rankers",
    "Remembering",
    "Run",
    "RunningLeg",
    "State",
    "Superseded",
    "Waiter",
    "discover",
    "make_rankers",
    "run_watched",
]
