"""The built-in plugins keep to the contract that they ask others to keep to."""

import numpy as np
import pytest

import vitrine_cf
import vitrine_content
import vitrine_deep
import vitrine_follows
import vitrine_interest
import vitrine_lightgbm
import vitrine_visits
from tests.support.world import World
from vitrine.testing import RankerContract


@pytest.fixture(scope="class", autouse=True)
def _bundle(request: pytest.FixtureRequest, world: World) -> None:
    """What was trained on the small simulated shop."""
    request.cls.bundle = world.bundle


class BuiltIn(RankerContract):
    def test_it_has_something_to_say(self) -> None:
        """Or all that is tested is NaN."""
        part = self._part()
        answer = self._answer(part, self._batch(part, *self._windows().values()), "usual requests")[""]
        assert np.isfinite(answer).mean() > 0.1
        assert len(np.unique(answer[np.isfinite(answer)])) > 10


class TestCollaborativeFilter(BuiltIn):
    plugin = vitrine_cf


class TestContent(BuiltIn):
    plugin = vitrine_content


class TestSequentialRules(BuiltIn):
    plugin = vitrine_follows


class TestNearestVisits(BuiltIn):
    plugin = vitrine_visits


class TestInterest(BuiltIn):
    plugin = vitrine_interest


class TestDeep(BuiltIn):
    plugin = vitrine_deep


class TestLightGBM(BuiltIn):
    plugin = vitrine_lightgbm
