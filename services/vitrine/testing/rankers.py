"""`RankerContract`: the tests that every ranker should pass."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import pytest

from vitrine.domain.answer import ReasonCode
from vitrine.hosting import checks
from vitrine.plugin import ENTRY_POINT_GROUP, Attributor, Batch, Explainer
from vitrine.testing.base import PartContract
from vitrine.testing.module import NAME, check_budget, fail

_BASE_TOLERANCE = 1e-3


class RankerContract(PartContract):
    """Make a class of it, name the module, and pytest runs the tests.

        class TestCheapest(RankerContract):
            plugin = vitrine_cheapest

    Attributes:
        plugin: The module of the plugin.
        settings: Its settings, as they would stand in ``[plugins.NAME.settings]``.
        bundle: The folder of a bundle, for a plugin that cannot do without.
    """

    _hook = "vitrine_make_ranker"
    _method = "score"

    def test_it_says_who_it_is(self) -> None:
        """Name, version, reason, budget and the rest are well formed."""
        ranker = self._part()
        for what in ("name", "version", "reason", "budget_ms", "score"):
            if not hasattr(ranker, what):
                fail(f"the ranker has no `{what}`: vitrine.plugin.Ranker says what it is")
        if not isinstance(ranker.name, str) or not NAME.fullmatch(ranker.name):
            fail(f"the ranker's name {ranker.name!r} is not usable: take at most 64 of a to z, 0 to 9 and _")
        named = [e.name for e in entry_points(group=ENTRY_POINT_GROUP) if e.value == self.plugin.__name__]
        if named and ranker.name not in named:
            fail(
                f"the ranker's name '{ranker.name}' is not that of its entry point, '{named[0]}': give both the same"
            )
        if not isinstance(ranker.version, str) or not ranker.version.strip():
            fail(f'the ranker\'s version {ranker.version!r} is not usable: make it a string such as "1.0"')
        if ranker.reason is not None and not isinstance(ranker.reason, ReasonCode):
            fail(
                f"the ranker's reason {ranker.reason!r} is none: take one of vitrine.domain.answer.ReasonCode, or None"
            )
        check_budget(ranker.budget_ms, "the ranker's")
        if not isinstance(getattr(ranker, "partial", False), bool):
            fail(
                f"the ranker's partial is {ranker.partial!r}: make it True (NaN means 'nothing to say') or leave it out"
            )
        after = getattr(ranker, "after", ())
        if not isinstance(after, tuple) or not all(isinstance(name, str) for name in after):
            fail(
                f"the ranker's after is {after!r}: make it a tuple of names, with a comma even after a single one"
            )

    def test_its_explanations_point_into_the_history(self) -> None:
        """`explain` answers, for each candidate, a row of that shopper's own history, or −1."""
        ranker = self._part()
        if not isinstance(ranker, Explainer):
            pytest.skip("the ranker has no `explain`, which is optional")
        batch = self._batch(ranker, *self._windows().values())
        self._answer(ranker, batch, "a batch of requests")
        positions = np.arange(0, len(batch.items.ids), 3)
        said = ranker.explain(batch, positions)
        _refuse("explain", checks.rows(said, len(positions)), "an int64 for each of `positions`")
        owners = np.searchsorted(batch.offsets, positions, "right") - 1
        start, end = batch.history.offsets[owners], batch.history.offsets[owners + 1]
        if not ((said == -1) | ((said >= start) & (said < end))).all():
            fail(
                "`explain` names items of somebody else's history: answer rows from `history.offsets[q]` to "
                "`history.offsets[q + 1]`, q being the query of the candidate, or −1"
            )

    def test_its_attributions_add_up(self) -> None:
        """`attribute` answers shares that add up to the score; `group_shares` answers one number a group."""
        ranker = self._part()
        if not isinstance(ranker, Attributor):
            pytest.skip("the ranker has no `attribute`, which is optional")
        batch = self._batch(ranker, *self._windows().values())
        scores = self._answer(ranker, batch, "a batch of requests")[""]
        positions = np.arange(0, len(scores), 7)
        groups = ranker.group_shares(batch, positions)
        wrong = checks.shares(groups, len(positions), len(ranker.groups))
        _refuse("group_shares", wrong, "a row for each of `positions` and a column for each of `groups`")
        told = ranker.attribute(batch, positions)
        _refuse("attribute", checks.attribution(told, len(positions)), "a row for each of `positions`")
        made_of = told.base + told.shares.sum(axis=1)
        if not np.allclose(made_of, scores[positions], rtol=_BASE_TOLERANCE, atol=_BASE_TOLERANCE):
            fail(
                "the shares that `attribute` answers do not add up to the scores: score = base + shares, added up"
            )

    def _call(self, part: Any, batch: Batch) -> Mapping[str, object]:
        return {"": part.score(batch)}

    def _may_be_nan(self, part: Any) -> str:
        if getattr(part, "partial", False):
            return ""
        return "answer a number for each, or say `partial = True` where NaN means that it has nothing to say"


def _refuse(method: str, problem: str, instead: str) -> None:
    """Fails where the server would not take an answer."""
    if problem:
        fail(f"`{method}` answered {problem}: answer {instead}")
