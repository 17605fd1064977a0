"""The page that a plugin's author reads is true."""

import textwrap

import numpy as np
import pluggy

from tests.support.shop import make_catalog
from vitrine import plugin as contract
from vitrine.config import SceneConfig, load_config
from vitrine.domain.candidates import Candidates
from vitrine.domain.profile import Profile
from vitrine.ranking import RankingEngine, RankingQuery, ShopperQuery
from vitrine.ranking.plugins import Plugin


def test_the_example_runs_as_written() -> None:
    lines = (contract.__doc__ or "").splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    import numpy"))
    last = max(i for i, line in enumerate(lines) if line.startswith("    "))
    module: dict[str, object] = {}
    exec(textwrap.dedent("\n".join(lines[first : last + 1])), module)

    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(type("Module", (), module)())
    host.check_pending()
    scene = SceneConfig(sources={"popular": 1}, weights={"cheapest": 1.0})
    config = load_config().model_copy(update={"scenes": {"home": scene}})
    engine = RankingEngine(make_catalog(5), None, config, [Plugin("cheapest", "", host)])
    assert not engine.rankers.off
    candidates = Candidates.of_items(["i4", "i1", "i3"])
    (ranked,) = engine.rank(RankingQuery.single(0.0, ShopperQuery(Profile(), "home"), candidates)).lists
    assert ranked.positions.tolist() == [1, 2, 0]
    np.testing.assert_array_equal(ranked.component_scores[:, 0], [-2e6, -4e6, -5e6])
