"""Plugins that break one rule each, and what a contract finds in them."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from vitrine.plugin import Batch, LoadContext, Scores, hookimpl
from vitrine.testing.base import PartContract

SLOW = {"test_it_keeps_no_memory"}


class Good:
    """The cheapest first."""

    name: Any = "good"
    version: Any = "1.0"
    reason: Any = None
    budget_ms: Any = 50.0

    def score(self, batch: Batch) -> Scores:
        return -batch.items.price_micros.astype(np.float32)


def module(made: type, hook: str = "vitrine_make_ranker", **more: object) -> ModuleType:
    """A plugin whose hook makes one of a class."""

    def make(load: LoadContext) -> object:
        return made()

    plugin = ModuleType("vitrine_bad")
    vars(plugin).update({"VITRINE_CONTRACT": 1, hook: hookimpl(make), **more})
    return plugin


def contract(kind: type[PartContract], plugin: ModuleType, **attributes: object) -> PartContract:
    """The tests of it."""
    made = type("TestBad", (kind,), {"plugin": plugin, **attributes})()
    assert isinstance(made, PartContract)
    return made


def failures(tests: PartContract, *slow: str) -> dict[str, str]:
    """The sentences of the checks that fail; of the slow ones only those that are named are made."""
    found = {}
    for name in [n for n in dir(tests) if n.startswith("test_") and n not in SLOW - set(slow)]:
        try:
            getattr(tests, name)()
        except AssertionError as error:
            found[name] = str(error)
        except pytest.skip.Exception:
            pass
    return found


def each(batch: Batch) -> list[slice]:
    """Where the candidates of each query are."""
    return [slice(int(a), int(b)) for a, b in zip(batch.offsets[:-1], batch.offsets[1:], strict=True)]
