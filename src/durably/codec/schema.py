"""Parameters of a function as JSON schemas, for forms that ask for them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from durably.codec.record import is_pydantic
from durably.codec.typed import is_untyped

__all__ = ["signature"]

ANYTHING: dict[str, Any] = {}


def signature(parameters: Sequence[inspect.Parameter], hints: Mapping[str, Any]) -> dict[str, Any]:
    """`{"parameters": [...], "$defs": {...}}`; an annotation that has no schema takes anything.

    What takes any number of arguments is left out: a form asks for what has a name.
    """
    definitions: dict[str, Any] = {}
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    told = [_parameter(each, hints.get(each.name, Any), definitions) for each in named]
    return {"parameters": told} | ({"$defs": definitions} if definitions else {})


def _parameter(parameter: inspect.Parameter, hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    required = parameter.default is parameter.empty
    told: dict[str, Any] = {
        "name": parameter.name,
        "kind": "keyword" if parameter.kind is parameter.KEYWORD_ONLY else "positional",
        "required": required,
        "schema": _schema(hint, definitions),
    }
    if not required and (default := _plain(parameter.default)) is not None:
        told["default"] = default
    return told


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if is_untyped(hint):
        return ANYTHING
    try:
        (schema,), components = msgspec.json.schema_components(
            [hint], schema_hook=_foreign, ref_template="#/$defs/{name}"
        )
    except (TypeError, ValueError, NotImplementedError, RecursionError):
        return ANYTHING
    definitions.update(components)
    return schema


def _foreign(kind: type) -> dict[str, Any]:
    """The schema of a class that msgspec does not know: a pydantic model's own, else anything."""
    if not is_pydantic(kind):
        return ANYTHING
    properties = getattr(kind, "model_fields", {})
    return {"type": "object", "title": kind.__name__, "properties": dict.fromkeys(properties, ANYTHING)}


def _plain(value: Any) -> Any:
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError):
        return None
