"""The OpenAPI document as a person reads it: sections, requests, their fields. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Field", "Operation", "Section", "sections"]

Schema: TypeAlias = Mapping[str, Any]

PREFIX = "#/components/schemas/"


@dataclass(frozen=True)
class Field:
    """A parameter, a header or a field of a body."""

    name: str
    kind: str
    told: str
    is_required: bool


@dataclass(frozen=True)
class Operation:
    """A request: what it does, what it takes, what it answers, and how to ask for it."""

    name: str
    method: str
    path: str
    summary: str
    told: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    body_kind: str | None
    answer: tuple[Field, ...]
    problems: tuple[str, ...]
    curl: str


@dataclass(frozen=True)
class Section:
    """The requests about one noun."""

    title: str
    operations: tuple[Operation, ...]

    @property
    def anchor(self) -> str:
        """What links lead to."""
        return self.title.lower().replace(",", "").replace(" ", "-")


def sections(document: Schema) -> list[Section]:
    """The document's requests by noun, in its order."""
    components = document["components"]["schemas"]
    every = [
        (operation["tags"][0], _operation(method, path, operation, components))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return [
        Section(tag["name"], tuple(each for title, each in every if title == tag["name"]))
        for tag in document["tags"]
    ]


def _operation(method: str, path: str, operation: Schema, components: Schema) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    succeeded = next(status for status in operation["responses"] if status.startswith("2"))
    answer = operation["responses"][succeeded]["content"]
    return Operation(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        told=operation["description"],
        parameters=tuple(_parameter(each) for each in operation["parameters"]),
        body=tuple(_fields(body, components)),
        body_kind=None if body is None else _kind(body),
        answer=tuple(_fields(answer.get("application/json", {}).get("schema"), components)),
        problems=tuple(status for status in operation["responses"] if status >= "4"),
        curl=operation["x-codeSamples"][0]["source"],
    )


def _parameter(parameter: Schema) -> Field:
    schema = parameter.get("schema") or parameter["content"]["application/json"]["schema"]
    told = parameter.get("description", "")
    kind = _kind(schema) if parameter["in"] == "query" else f"header, {_kind(schema)}"
    return Field(parameter["name"], kind, told, parameter["required"])


def _fields(schema: Schema | None, components: Schema) -> Iterator[Field]:
    """The fields of an object, or of the objects in a list."""
    if schema is None:
        return
    named = schema.get("items", schema)
    described = components[named["$ref"].removeprefix(PREFIX)] if "$ref" in named else named
    required = described.get("required", [])
    for name, each in described.get("properties", {}).items():
        yield Field(name, _kind(each), each.get("description", ""), name in required)


def _kind(schema: Schema) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(PREFIX))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"list of {_kind(schema.get('items', {}))}"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return f"object of {_kind(schema['additionalProperties'])}"
        case "string" if "format" in schema:
            return str(schema["format"])
        case str(kind):
            return kind + _range(schema)
        case _:
            return "any JSON"


def _range(schema: Schema) -> str:
    least, most = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if least is None or most is None or most >= 2**31 - 1:
        return ""
    return f" {least:g} to {most:g}"
