"""Forms from JSON schemas: which field a parameter gets, what was typed into it, what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Field", "Wrong", "arguments", "fields", "wrong_with"]

Schema: TypeAlias = Mapping[str, Any]
DEEPEST = 30
NAMES = {"integer": int, "string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}


class Wrong(Exception):
    """What was typed into a field cannot be."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Field:
    """One parameter: `kind` is text, number, truth, choice or json."""

    name: str
    kind: str
    required: bool
    by_name: bool
    hint: str
    default: str
    choices: tuple[str, ...] = ()
    schema: Schema
    definitions: Schema


def fields(signature: Schema) -> list[Field]:
    """The fields of a signature as an application registers it."""
    definitions = signature.get("$defs", {})
    return [_field(parameter, definitions) for parameter in signature.get("parameters", ())]


def arguments(form: Sequence[Field], given: Mapping[str, str]) -> tuple[list[Any], dict[str, Any]]:
    """What the fields say, by position as long as none is left out, and by name; Wrong where it cannot be."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    left_out = False
    for field in form:
        text = given.get(f"p.{field.name}", "")
        if not text and not field.required:
            left_out = True
            continue
        value = _value(field, text)
        if field.by_name or left_out:
            kwargs[field.name] = value
        else:
            args.append(value)
    return args, kwargs


def wrong_with(schema: Schema, value: Any, definitions: Schema, path: str = "", depth: int = 0) -> str | None:
    """Why a value is not as its schema has it, as far as types, required fields and choices go; else None."""
    if depth > DEEPEST or not isinstance(schema, Mapping):
        return None
    at = f"{path}: " if path else ""
    if reference := schema.get("$ref"):
        found = definitions.get(str(reference).rpartition("/")[2], {})
        return wrong_with(found, value, definitions, path, depth + 1)
    if options := schema.get("anyOf"):
        whys = [wrong_with(option, value, definitions, path, depth + 1) for option in options]
        return None if None in whys else whys[0]
    if (choices := schema.get("enum")) is not None and value not in choices:
        return f"{at}one of {', '.join(map(json.dumps, choices))}"
    if not _is_of(schema.get("type"), value):
        return f"{at}expected {_kind(schema.get('type'))}, got {json.dumps(value)[:60]}"
    if isinstance(value, dict):
        return _wrong_object(schema, value, definitions, path, depth)
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        parts = enumerate(value)
        each = (wrong_with(schema["items"], v, definitions, f"{path}[{i}]", depth + 1) for i, v in parts)
        return next((why for why in each if why), None)
    return None


def _wrong_object(
    schema: Schema, value: Mapping[str, Any], definitions: Schema, path: str, depth: int
) -> str | None:
    for name in schema.get("required", ()):
        if name not in value:
            return f"{path}: {name} is missing" if path else f"{name} is missing"
    known = schema.get("properties", {})
    more = schema.get("additionalProperties")
    for name, item in value.items():
        inner = known.get(name, more if isinstance(more, Mapping) else {})
        if why := wrong_with(inner, item, definitions, f"{path}.{name}" if path else name, depth + 1):
            return why
    return None


def _is_of(wanted: Any, value: Any) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, list):
        return any(_is_of(each, value) for each in wanted)
    if wanted == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if wanted == "integer" and isinstance(value, bool):
        return False
    return isinstance(value, NAMES.get(wanted, object))


def _kind(wanted: Any) -> str:
    return " or ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)


def _field(parameter: Schema, definitions: Schema) -> Field:
    schema = _resolved(parameter.get("schema", {}), definitions)
    choices = tuple(str(each) for each in schema.get("enum", ()) if isinstance(each, str))
    default = parameter.get("default")
    return Field(
        name=str(parameter["name"]),
        kind=_form_of(schema, choices),
        required=bool(parameter.get("required", True)),
        by_name=parameter.get("kind") == "keyword",
        hint=_hint(schema, required=bool(parameter.get("required", True)), default=default),
        default="",
        choices=choices if len(choices) == len(schema.get("enum", ())) else (),
        schema=parameter.get("schema", {}),
        definitions=definitions,
    )


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    """The schema that a reference leads to; of a value that may be null, the schema of the value."""
    for _ in range(DEEPEST):
        if reference := schema.get("$ref"):
            schema = definitions.get(str(reference).rpartition("/")[2], {})
        elif options := schema.get("anyOf"):
            real = [option for option in options if option.get("type") != "null"]
            if len(real) != 1:
                return {}
            schema = real[0]
        else:
            break
    return schema


def _form_of(schema: Schema, choices: tuple[str, ...]) -> str:
    if choices and len(choices) == len(schema["enum"]):
        return "choice"
    kinds = {"string": "text", "integer": "number", "number": "number", "boolean": "truth"}
    kind = schema.get("type")
    return kinds.get(kind, "json") if isinstance(kind, str) else "json"


def _hint(schema: Schema, *, required: bool, default: Any) -> str:
    """What is expected, in a few words."""
    kind = schema.get("format") or schema.get("title") or schema.get("type") or "any JSON value"
    words = " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    if properties := schema.get("properties"):
        words += f" with {', '.join(list(properties)[:8])}"
    if required:
        return words
    return (
        f"{words}; left out, {json.dumps(default)[:60]}"
        if default is not None
        else f"{words}; may be left out"
    )


def _value(field: Field, text: str) -> Any:
    value = _read(field, text)
    if why := wrong_with(field.schema, value, field.definitions):
        raise Wrong(field.name, why)
    return value


def _read(field: Field, text: str) -> Any:
    if field.kind in ("text", "choice"):
        return text
    if not text.strip():
        raise Wrong(field.name, "it is required")
    if field.kind == "truth":
        return text == "true"
    try:
        return json.loads(text)
    except ValueError as error:
        what = "a number" if field.kind == "number" else f"JSON: {error}"
        raise Wrong(field.name, f"it is not {what}") from None
