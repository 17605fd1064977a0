"""What a plugin's module and its ranker say of themselves is checked, and each mistake named with what to do."""

from types import ModuleType

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tests.unit.testing.bad import Good, contract, module
from vitrine.plugin import LoadContext, MissingData, hookimpl
from vitrine.testing import RankerContract


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("name", "Cheapest", "a to z, 0 to 9 and _"),
        ("name", None, "name None is not usable"),
        ("version", 1.0, "make it a string"),
        ("reason", "cheap", "ReasonCode, or None"),
        ("budget_ms", 0, "budget_ms is 0"),
        ("budget_ms", float("inf"), "budget_ms is inf"),
        ("budget_ms", "5", "make it the milliseconds"),
        ("partial", 1, "partial is 1"),
        ("after", "cf", "a comma even after a single one"),
        ("after", ["cf"], "a tuple of names"),
    ],
)
def test_what_it_says_of_itself_is_checked(attribute: str, value: object, words: str) -> None:
    tests = contract(RankerContract, module(type("Bad", (Good,), {attribute: value})))
    assert isinstance(tests, RankerContract)
    with pytest.raises(AssertionError) as raised:
        tests.test_it_says_who_it_is()
    assert words in str(raised.value)


def test_a_missing_attribute_is_named() -> None:
    silent = type("Silent", (), {"name": "silent", "version": "1", "reason": None, "score": Good.score})
    tests = contract(RankerContract, module(silent))
    assert isinstance(tests, RankerContract)
    with pytest.raises(AssertionError, match="has no `budget_ms`"):
        tests.test_it_says_who_it_is()


@pytest.mark.parametrize(
    ("said", "words"), [(None, "add `VITRINE_CONTRACT = 1`"), (2, "contract 2 and this is 1"), (True, "True")]
)
def test_another_contract_is_told_what_to_do(said: object, words: str) -> None:
    with pytest.raises(AssertionError) as raised:
        contract(RankerContract, module(Good, VITRINE_CONTRACT=said)).test_it_is_written_for_this_contract()
    assert words in str(raised.value)


def _hooks(**hooks: object) -> ModuleType:
    plugin = module(Good)
    vars(plugin).update(hooks)
    return plugin


def test_a_misspelt_hook_gets_the_nearest_name() -> None:
    @hookimpl
    def vitrine_make_rankers(load: LoadContext) -> Good:
        return Good()

    with pytest.raises(AssertionError, match="did you mean 'vitrine_make_ranker'"):
        contract(
            RankerContract, _hooks(vitrine_make_rankers=vitrine_make_rankers)
        ).test_its_hooks_are_spelt_right()


def test_a_hook_without_its_mark_is_found() -> None:
    def vitrine_settings() -> None:
        return None

    plugin = _hooks(vitrine_settings=vitrine_settings)
    vitrine_settings.__module__ = plugin.__name__
    with pytest.raises(AssertionError, match="write `@hookimpl` above it"):
        contract(RankerContract, plugin).test_its_hooks_are_spelt_right()


def test_a_hook_with_other_arguments_is_found() -> None:
    @hookimpl
    def vitrine_settings(config: object) -> None:
        return None

    with pytest.raises(AssertionError, match=r"use the arguments of vitrine\.plugin"):
        contract(RankerContract, _hooks(vitrine_settings=vitrine_settings)).test_its_hooks_are_spelt_right()


def test_a_plugin_without_a_ranker_is_told_which_contract_to_test() -> None:
    plugin = module(Good, hook="vitrine_make_features")
    with pytest.raises(AssertionError, match="has no hook 'vitrine_make_ranker'"):
        contract(RankerContract, plugin).test_its_hooks_are_spelt_right()


class Lax(BaseModel):
    weight: float = 1.0


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    weight: float = Field(ge=0)


@pytest.mark.parametrize(
    ("model", "settings", "words"),
    [
        (Lax, {}, 'add `model_config = ConfigDict(extra="forbid")`'),
        (Strict, {}, "'weight': Field required"),
        (Strict, {"weight": -1}, "do not fit Strict: 'weight'"),
        (Strict(weight=1), {}, "return the class of the settings"),
        (None, {"weight": 1}, "write the hook `vitrine_settings`"),
    ],
)
def test_settings_are_checked(model: object, settings: dict[str, object], words: str) -> None:
    @hookimpl
    def vitrine_settings() -> object:
        return model

    tests = contract(RankerContract, _hooks(vitrine_settings=vitrine_settings), settings=settings)
    with pytest.raises(AssertionError) as raised:
        tests.test_its_settings_are_valid()
    assert words in str(raised.value)


def test_settings_reach_the_ranker_as_the_model() -> None:
    given: list[object] = []

    @hookimpl
    def vitrine_settings() -> type[Strict]:
        return Strict

    @hookimpl
    def vitrine_make_ranker(load: LoadContext) -> Good:
        given.append(load.settings)
        return Good()

    plugin = _hooks(vitrine_settings=vitrine_settings, vitrine_make_ranker=vitrine_make_ranker)
    contract(RankerContract, plugin, settings={"weight": 2}).test_a_single_candidate()
    assert given == [Strict(weight=2)]


def test_a_plugin_that_needs_a_bundle_says_so() -> None:
    @hookimpl
    def vitrine_make_ranker(load: LoadContext) -> Good:
        raise MissingData("the bundle has no linear model")

    tests = contract(RankerContract, _hooks(vitrine_make_ranker=vitrine_make_ranker))
    with pytest.raises(AssertionError, match=r"the bundle has no linear model\): set `bundle = Path"):
        tests.test_a_single_candidate()
