"""The OpenAPI 3.1 document: made of the table of routes and of the types that requests are read as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from durably.console.api import curl
from durably.console.api.problems import KINDS, RETRY_AFTER, Problem
from durably.console.api.route import Route
from durably.console.api.sse import EventStream
from durably.console.api.table import NOUNS, ROUTES

__all__ = ["document", "operation_problems"]

REFERENCE = "#/components/schemas/{name}"
JSON, NDJSON, EVENTS = "application/json", "application/x-ndjson", "text/event-stream"
PROBLEM = "application/problem+json"

ABOUT = """\
Drives DBOS applications, in whatever language they are written, through their system database.

Ids and names are parameters of the query, percent-encoded. Instants are milliseconds since 1970, UTC; they
may be given as RFC 3339 too. Durations are seconds. Unknown parameters and fields are refused. Errors are
RFC 9457 problems.
400: the request cannot be read; 422: it was read, and cannot work like that.
"""
RETRYING = {
    str(status): {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "required": True}}
    for status in RETRY_AFTER
}
ONE_EVENT = {
    "type": "object",
    "description": "One event; `data` is JSON.",
    "properties": {"id": {"type": "string"}, "event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["event", "data"],
}
ALLOWED = {"401": {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}}


def document(*, base: str, secured: bool) -> dict[str, Any]:
    """The document of an API that is mounted at `base`; `secured`: a token is needed."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, base, secured)
    bearer = {"type": "http", "scheme": "bearer", "description": "A token that an admin made."}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Durably", "version": version("durably"), "description": ABOUT},
        "servers": [{"url": base or "/"}],
        "tags": [{"name": title} for title, _ in NOUNS.values()],
        "security": [{"bearer": []}] if secured else [],
        "paths": paths,
        "components": {"schemas": _types()[1], "securitySchemes": {"bearer": bearer}},
    }


def operation_problems(route: Route) -> list[int]:
    """The statuses of the problems that a route may answer with."""
    usual = {400, 401, 403, 422, 429, 500, 503}
    body = {413, 415} if route.body is not None else set()
    return sorted(usual | body | set(route.problems))


def _operation(route: Route, base: str, secured: bool) -> dict[str, Any]:
    first, _, rest = route.told.partition("\n\n")
    needs = f"Needs the role {route.role}."
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [NOUNS[route.noun][0]],
        "summary": " ".join(first.split()),
        "description": "\n\n".join(filter(None, (rest, needs))),
        "parameters": [*_parameters(route), *_headers(route)],
        "responses": _responses(route),
        "x-codeSamples": [{"lang": "Shell", "source": curl.command(route, base, secured=secured)}],
    }
    if route.body is not None:
        operation["requestBody"] = _request_body(route)
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    described = _queries()[route.query.__name__]
    required = described.get("required", [])
    return [
        _parameter(route, name, described["properties"][name], is_required=name in required)
        for name in described["properties"]
    ]


def _parameter(route: Route, name: str, described: Mapping[str, Any], *, is_required: bool) -> dict[str, Any]:
    plain = _without_null(described)
    parameter: dict[str, Any] = {"name": name, "in": "query", "required": is_required}
    if (told := plain.pop("description", None)) is not None:
        parameter["description"] = told
    if plain.get("type") == "object":
        parameter["content"] = {JSON: {"schema": plain}}
    else:
        parameter["schema"] = plain
    if name in route.example.query:
        parameter["example"] = route.example.query[name]
    return parameter


def _headers(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": told,
            "schema": msgspec.json.schema(type_),
        }
        for name, (type_, told) in route.headers.items()
    ]


def _request_body(route: Route) -> dict[str, Any]:
    schema = _types()[0][route.body]
    content: dict[str, Any] = {JSON: {"schema": schema}}
    if route.example.body is not None:
        content[JSON]["example"] = route.example.body
    if route.is_listed:
        content[NDJSON] = {"schema": schema}
    return {"content": content, "required": _is_needed(route.body)}


def _responses(route: Route) -> dict[str, Any]:
    if route.answer is EventStream:
        content: dict[str, Any] = {EVENTS: {"schema": ONE_EVENT}}
    else:
        content = {JSON: {"schema": _types()[0][route.answer]}}
    succeeded = {route.status: "Done.", **route.also}
    found: dict[str, Any] = {
        str(status): {"description": told, "content": content} for status, told in succeeded.items()
    }
    for status in operation_problems(route):
        found[str(status)] = _problem(str(status))
    return found


def _problem(status: str) -> dict[str, Any]:
    kinds = ", ".join(name for name, (of, _) in KINDS.items() if str(of) == status)
    described: dict[str, Any] = {
        "description": f"A problem: {kinds}.",
        "content": {PROBLEM: {"schema": {"$ref": REFERENCE.format(name="Problem")}}},
    }
    if (headers := (RETRYING | ALLOWED).get(status)) is not None:
        described["headers"] = headers
    return described


@cache
def _types() -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    """The schema of each body and answer of the routes, and the components that they refer to."""
    kinds = [kind for route in ROUTES for kind in (route.body, route.answer)]
    return _described([Problem, *(kind for kind in kinds if kind not in (None, EventStream))])


@cache
def _queries() -> dict[str, Any]:
    """The schemas of the routes' queries, by name."""
    return _described([route.query for route in ROUTES if route.query is not None])[1]


def _described(kinds: Iterable[Any]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    unique = list(dict.fromkeys(kinds))
    schemas, components = msgspec.json.schema_components(unique, ref_template=REFERENCE)
    return dict(zip(unique, schemas, strict=True)), components


def _is_needed(kind: Any) -> bool:
    """Whether a request cannot do without its body."""
    schemas, components = _types()
    named = schemas[kind].get("$ref", "").rpartition("/")[2]
    return not named or bool(components[named].get("required"))


def _without_null(described: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter's schema: it is left out instead of being null."""
    plain = dict(described)
    if plain.get("default", ...) is None:
        del plain["default"]
    if "anyOf" in plain:
        left = [each for each in plain["anyOf"] if each.get("type") != "null"]
        if len(left) == 1:
            del plain["anyOf"]
            plain = {**left[0], **plain}
        else:
            plain["anyOf"] = left
    return plain
