"""The page about the configuration file: what people wrote, and the fields of the models that read the file."""

from collections.abc import Iterator, Mapping
from importlib import resources
from textwrap import fill
from typing import Any

from pydantic import BaseModel, PydanticUserError

from vitrine.app.changes import FIXED
from vitrine.config import (
    Config,
    InferenceConfig,
    PluginConfig,
    ProfileConfig,
    RankingConfig,
    RecommendationConfig,
    RetrievalConfig,
    RulesConfig,
    SceneConfig,
)
from vitrine.retrieval.sources import SOURCE_NAMES

_TABLES: dict[str, type[BaseModel]] = {
    "scenes.NAME": SceneConfig,
    "scenes.NAME.rules": RulesConfig,
    "plugins.NAME": PluginConfig,
    "ranking": RankingConfig,
    "recommendation": RecommendationConfig,
    "retrieval": RetrievalConfig,
    "profile": ProfileConfig,
    "inference": InferenceConfig,
}

# Of a line; as long as those that people wrote.
_WIDTH = 118


def page() -> str:
    """The page, in Markdown."""
    head = (resources.files("vitrine.app") / "configuration.md").read_text("utf-8")
    parts = [head.replace("SOURCES", ", ".join(f"`{name}`" for name in SOURCE_NAMES))]
    top = {
        name: f for name, f in Config.model_fields.items() if name not in {t.split(".")[0] for t in _TABLES}
    }
    parts.append("## Every field\n\n### At the top\n\n" + "\n".join(_fields(Config, "", only=top)))
    for name, model in _TABLES.items():
        parts.append(f"### `[{name}]`\n\n{_text(model)}\n\n" + "\n".join(_fields(model, name)))
    return "\n".join(parts)


def settings_page(plugin: str, model: type[BaseModel]) -> str:
    """The settings of one plugin, in the same form."""
    table = f"plugins.{plugin}.settings"
    lines = "\n".join(_fields(model, table)) or "Nothing can be set.\n"
    return f"### `[{table}]`\n\n{_text(model)}\n\n{lines}"


def _fields(model: type[BaseModel], table: str, only: Mapping[str, Any] | None = None) -> Iterator[str]:
    schema = _schema(model)
    for name, field in model.model_fields.items():
        key = f"{table}.{name}" if table else name
        # Tables have a heading of their own.
        if (only is not None and name not in only) or key in _TABLES:
            continue
        notes = [_kind(schema.get("properties", {}).get(field.alias or name, {}), schema)]
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        notes.append("required" if field.is_required() else f"default `{toml(default)}`")
        if any(f"{key}.".startswith(f"{fixed}.") for fixed in FIXED):
            notes.append("restart")
        text = " ".join(filter(None, (field.description, f"({'; '.join(notes)})")))
        yield fill(
            f"- `{field.alias or name}`: {text}",
            _WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    yield ""


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    try:
        return model.model_json_schema()
    except PydanticUserError:  # of a type that JSON has no word for
        return {}


def _text(model: type[BaseModel]) -> str:
    # A model without a docstring has that of `BaseModel`.
    text = model.__doc__ if model.__doc__ != BaseModel.__doc__ else ""
    return " ".join((text or "Settings.").split())


def toml(value: Any) -> str:
    """A value as it stands in the file; nothing has no way to stand there."""
    match value:
        case None:
            return "not set"
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list() | tuple():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            inside = ", ".join(
                f"{key if key.replace('_', '').isalnum() else toml(key)} = {toml(v)}"
                for key, v in value.items()
            )
            return f"{{ {inside} }}" if value else "{}"
        case float():
            return f"{value:g}"
    return str(value)


def _kind(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """A type in words."""
    if "$ref" in schema:
        return _kind(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{toml(value)}`" for value in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " or ".join(_kind(one, root) for one in schema["anyOf"] if one.get("type") != "null")
    match schema.get("type"):
        case "boolean":
            return "`true` or `false`"
        case "integer" | "number" as kind:
            return ("whole number" if kind == "integer" else "number") + _range(schema)
        case "string":
            return f"text like `{schema['pattern']}`" if "pattern" in schema else "text"
        case "array":
            return f"list: {_kind(schema.get('items', {}), root)}"
        case "object":
            inside = schema.get("additionalProperties")
            return f"table: name = {_kind(inside, root)}" if isinstance(inside, dict) and inside else "table"
    return "anything"


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    if low is not None:
        return f", {low:g} or more"
    if "exclusiveMinimum" in schema:
        return f" above {schema['exclusiveMinimum']:g}"
    return "" if high is None else f", at most {high:g}"
