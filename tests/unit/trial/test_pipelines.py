"""The two pipelines that are compared differ by the plugin alone, and it is said who decides."""

import pytest

from vitrine.config import Config
from vitrine_export.evaluate.serving import changed
from vitrine_export.trial.pipelines import Pipelines, joined, pipelines, usual_weight

SCENES = ["home", "cart"]


def compared(
    config: Config,
    *,
    weight: float | None = None,
    readers: tuple[str, ...] = (),
    retrained: bool = False,
    columns: bool = False,
) -> Pipelines:
    return pipelines(
        config, "mine", SCENES, weight=weight, readers=readers, retrained=retrained, columns=columns
    )


def test_a_newcomer_gets_a_tenth_of_the_say(config: Config) -> None:
    for scene in config.scenes:
        mine = usual_weight(config, scene)
        whole = sum(config.scenes[scene].weights.values()) + mine
        assert mine / whole == pytest.approx(0.1, rel=0.05)


def test_a_weight_of_the_configuration_stays_unless_another_is_asked_for(config: Config) -> None:
    given = changed(config, "home", weights={**config.scenes["home"].weights, "mine": 0.7})
    assert joined(given, "mine", SCENES, None).scenes["home"].weights["mine"] == 0.7
    assert joined(given, "mine", SCENES, None).scenes["cart"].weights["mine"] == usual_weight(config, "cart")
    assert joined(given, "mine", SCENES, 0.2).scenes["home"].weights["mine"] == 0.2


def test_without_it_nothing_else_changes(config: Config) -> None:
    pair = compared(config, weight=0.5)
    for scene in SCENES:
        mine, theirs = pair.with_plugin.scenes[scene], pair.without.scenes[scene]
        assert dict(theirs.weights) == {n: w for n, w in mine.weights.items() if n != "mine"}
        assert theirs.model_copy(update={"weights": {}}) == mine.model_copy(update={"weights": {}})
    assert pair.without.scenes["item_page"] == config.scenes["item_page"]


def test_weights_decide_in_both_where_the_reranker_never_saw_it(config: Config) -> None:
    pair = compared(config)
    assert pair.by_weights
    assert "has never seen 'mine'" in pair.decided
    for part in (pair.with_plugin, pair.without):
        assert {part.scenes[scene].reranker for scene in SCENES} == {""}


def test_a_reranker_that_learned_with_it_decides(config: Config) -> None:
    pair = compared(config, readers=("lightgbm",))
    assert not pair.by_weights
    assert pair.with_plugin.scenes["home"].reranker == pair.without.scenes["home"].reranker == "lightgbm"
    assert "nothing was trained again" in pair.decided


def test_retraining_lets_the_reranker_learn_from_its_columns(config: Config) -> None:
    pair = compared(config, retrained=True, columns=True)
    assert pair.retrained
    assert pair.with_plugin.features == ("mine",)
    assert pair.without.features == ()
    assert pair.with_plugin.scenes["home"].reranker == "lightgbm"


def test_where_there_is_no_reranker_there_is_nothing_to_train(config: Config) -> None:
    bare = changed(changed(config, "home", reranker=""), "cart", reranker="")
    pair = compared(bare, retrained=True)
    assert not pair.retrained
    assert pair.decided == "The weights decide, as the scene has no reranker; --retrain has nothing to train."


def test_a_reranker_is_compared_with_the_weights(config: Config) -> None:
    own = changed(config, "home", reranker="mine")
    pair = compared(own)
    assert pair.with_plugin.scenes["home"].reranker == "mine"
    assert pair.without.scenes["home"].reranker == ""
    assert pair.weights == {}
