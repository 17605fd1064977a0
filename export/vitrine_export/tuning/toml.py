"""Writes settings as the TOML file of a kind of data; the standard library only reads such files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from vitrine_export.train.parameters import DEFAULTS, Parameters, RerankerSettings

_Settings = TypeVar("_Settings", Parameters, RerankerSettings)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def written(tables: Mapping[str, Any]) -> str:
    """Tables of text, numbers, truth values, lists of them and further tables; ``None`` is left out."""
    return "".join(f"{line}\n" for line in _lines(tables, ())).lstrip("\n")


def tables_of(parameters: Parameters, serving: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a kind of data: the settings of training that are not the defaults, and those of serving."""
    training: dict[str, Any] = _changed(parameters, DEFAULTS)
    if reranker := _changed(parameters.reranker, DEFAULTS.reranker):
        training["reranker"] = reranker
    return {"training": training, "serving": dict(serving)}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """One set of tables over another, key by key."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result


def _changed(settings: _Settings, usual: _Settings) -> dict[str, Any]:
    both = ((f.name, getattr(settings, f.name), getattr(usual, f.name)) for f in fields(settings))
    return {name: value for name, value, default in both if value != default and not is_dataclass(value)}


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    own = {k: v for k, v in table.items() if v is not None and not isinstance(v, Mapping)}
    if path and own:
        yield ""
        yield f"[{'.'.join(map(_key, path))}]"
    for key, value in own.items():
        yield f"{_key(key)} = {_value(value)}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*path, key))


def _key(name: str) -> str:
    return name if name and set(name) <= _PLAIN else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON escapes text as TOML does, but for one character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
