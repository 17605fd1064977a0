"""What is tested of a plugin's module, and how its parts are made."""

import inspect
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NoReturn

import pluggy
from pydantic import BaseModel, ValidationError

from vitrine import plugin as contract
from vitrine.bundle import AttachedBundle
from vitrine.hosting.discovery import marked_hooks
from vitrine.hosting.facts import is_budget
from vitrine.plugin import CONTRACT, LoadContext, MissingData
from vitrine.validation import nearest

HOOKS = tuple(name for name in vars(contract) if name.startswith("vitrine_"))
# What a name must be like to stand in a table of the configuration and in the name of a feature column.
NAME = re.compile(r"[a-z0-9_]{1,64}")
_NOT_A_SETTING = "no_such_setting"


def fail(sentence: str) -> NoReturn:
    """Fails the test that is running: the sentence says what is wrong and what to do."""
    __tracebackhide__ = True
    raise AssertionError(sentence)


def check_contract(plugin: ModuleType) -> None:
    """It is written for this version of the contract."""
    said = getattr(plugin, "VITRINE_CONTRACT", None)
    if said is None:
        fail(
            f"{plugin.__name__} does not say for which contract it was written: add `VITRINE_CONTRACT = {CONTRACT}` at "
            "the top of the module"
        )
    if said != CONTRACT or isinstance(said, bool):
        fail(
            f"{plugin.__name__} was written for contract {said!r} and this is {CONTRACT}: read vitrine.plugin again, "
            f"change what has changed, and say `VITRINE_CONTRACT = {CONTRACT}`"
        )


def check_hooks(plugin: ModuleType, wanted: str) -> None:
    """Its hooks exist, are marked, take the right arguments, and the one that is tested is among them."""
    marked = marked_hooks(plugin)
    for name, value in vars(plugin).items():
        ours = inspect.isfunction(value) and value.__module__ == plugin.__name__
        if name not in marked and ours and name.startswith("vitrine_"):
            fail(f"{name} is not marked as a hook and would never be called: write `@hookimpl` above it")
    for name in marked:
        if name not in HOOKS:
            fail(f"there is no hook '{name}': {nearest(name, HOOKS)}")
    try:
        _host(plugin)
    except pluggy.PluginValidationError as error:
        raise AssertionError(
            f"a hook of {plugin.__name__} does not take what it is given: use the arguments of vitrine.plugin "
            f"({str(error).splitlines()[-1]})"
        ) from None
    if wanted not in marked:
        fail(
            f"{plugin.__name__} has no hook '{wanted}': define it, or test the plugin with the other of RankerContract "
            "and FeatureBlockContract"
        )


def check_settings(plugin: ModuleType, settings: Mapping[str, Any]) -> None:
    """The settings fit the model, and a misspelt one would be refused."""
    model = _model(plugin)
    if model is None:
        if settings:
            fail(
                f"{plugin.__name__} has settings in this test and no model of them: write the hook `vitrine_settings`"
            )
        return
    parsed(plugin, settings)
    try:
        model.model_validate({**settings, _NOT_A_SETTING: 1})
    except ValidationError:
        return
    fail(
        f"{model.__name__} takes any setting, so that a misspelt one goes unseen: add "
        '`model_config = ConfigDict(extra="forbid")` to it'
    )


def check_budget(budget: object, whose: str) -> None:
    """It is a time."""
    if not is_budget(budget):
        fail(
            f"{whose} budget_ms is {budget!r}: make it the milliseconds that a call with up to 1,000 candidates may take, "
            "at most a minute"
        )


def parsed(plugin: ModuleType, settings: Mapping[str, Any]) -> Any:
    """The settings as the plugin is given them."""
    model = _model(plugin)
    if model is None:
        return dict(settings)
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        problems = "; ".join(f"'{'.'.join(map(str, e['loc']))}': {e['msg']}" for e in error.errors())
        raise AssertionError(
            f"the settings of this test do not fit {model.__name__}: {problems}; set `settings` in the test class, or "
            "give each field a default"
        ) from None


def make(plugin: ModuleType, hook: str, settings: Mapping[str, Any], bundle: AttachedBundle | None) -> Any:
    """What a hook makes, as the server would call it."""
    __tracebackhide__ = True
    load = LoadContext(bundle, parsed(plugin, settings))
    try:
        made = getattr(_host(plugin).hook, hook)(load=load)
    except MissingData as missing:
        raise AssertionError(
            f"the plugin cannot do without a bundle ({missing}): set `bundle = Path(…)` in the test class to the folder "
            "of one that has it"
        ) from None
    if made is None:
        fail(f"`{hook}` answered nothing: return what it makes, or raise MissingData")
    return made


def _host(plugin: ModuleType) -> pluggy.PluginManager:
    host = pluggy.PluginManager(contract.PROJECT)
    host.add_hookspecs(contract)
    host.register(plugin, plugin.__name__)
    return host


def _model(plugin: ModuleType) -> type[BaseModel] | None:
    """The model of its settings."""
    model = _host(plugin).hook.vitrine_settings()
    if model is not None and not (isinstance(model, type) and issubclass(model, BaseModel)):
        fail(f"`vitrine_settings` answered {model!r}: return the class of the settings, a pydantic BaseModel")
    return model
