"""What is wrong with a table of the configuration, in the words of its author: where, what, and the nearest known key."""

import types
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo

M = TypeVar("M", bound=BaseModel)

Where = tuple[str | int, ...]


class Mistake(NamedTuple):
    """One thing that is wrong: the path of the key that has to go, and a text that names it."""

    where: Where
    text: str


def read_table(model: type[M], table: Mapping[str, Any], at: str = "") -> tuple[M | None, list[Mistake]]:
    """A table as its model has it, or all that is wrong with it.

    Keys that the model does not have are mistakes, whether or not it says so itself, unless it allows any.

    Args:
        model: What the table should be.
        table: As it stands in the file.
        at: Where the table stands, for the texts.
    """
    mistakes = list(_unknown(model, table, (), at)) if _is_table(model) else []
    read: M | None = None
    try:
        read = model.model_validate(dict(table))
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            if problem["type"] != "extra_forbidden":
                where = problem["loc"]
                gone = where[:-1] if problem["type"] == "missing" else where
                mistakes.append(Mistake(gone, f"'{_path(where, at) or at}': {problem['msg']}"))
            elif not mistakes:  # under a key that this page cannot follow
                mistakes.append(Mistake(problem["loc"], f"unknown key '{_path(problem['loc'], at)}'"))
    return (None if mistakes else read), mistakes


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """The known name that was probably meant, or all that are known.

    Args:
        name: What was said.
        known: What could have been.
        prefix: What stands before all of them, and would make strangers look near.
    """
    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean '{prefix}{close[0]}'?"
    return f"known: {', '.join(prefix + other for other in names) or 'none'}"


def _unknown(model: type[BaseModel], table: Mapping[str, Any], where: Where, at: str) -> Iterator[Mistake]:
    """Keys of a table, and of those below it, that the models do not have."""
    fields = dict(_by_key(model))
    for key, value in table.items():
        if key in fields:
            yield from _below(fields[key].annotation, value, (*where, key), at)
        elif model.model_config.get("extra") != "allow":
            path = _path((*where, key), at)
            yield Mistake((*where, key), f"unknown key '{path}'; {nearest(key, fields)}")


def _below(annotation: Any, value: Any, where: Where, at: str) -> Iterator[Mistake]:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _below(args[0], value, where, at)
    elif origin in {Union, types.UnionType}:
        tables = [a for a in args if _is_table(a)]
        # Of several, pydantic alone knows which is meant.
        if len(tables) == 1:
            yield from _below(tables[0], value, where, at)
    elif _is_table(annotation) and isinstance(value, Mapping):
        yield from _unknown(annotation, value, where, at)
    elif origin is dict and args and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _below(args[1], inner, (*where, key), at)
    elif origin in {list, tuple} and args and isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _below(args[0], inner, (*where, place), at)


def _is_table(annotation: Any) -> bool:
    return (
        isinstance(annotation, type)
        and issubclass(annotation, BaseModel)
        and not issubclass(annotation, RootModel)
    )


def _by_key(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """The fields of a model by the keys that may stand in a file for them."""
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        if (
            alias is None
            or model.model_config.get("validate_by_name")
            or model.model_config.get("populate_by_name")
        ):
            yield name, field
        for other in alias.choices if isinstance(alias, AliasChoices) else (alias,):
            if isinstance(other, str):
                yield other, field


def _path(where: Where, at: str) -> str:
    return ".".join(([at] if at else []) + [str(part) for part in where])
