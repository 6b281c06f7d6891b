"""The OpenAPI document says what the routes are, and the routes are what the client does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import schemathesis

from durably.console.api import curl, problems, reading, schema
from durably.console.api.route import Route
from durably.console.api.table import NOUNS, ROUTES
from tests.unit.console.test_api_reading import request

MADE = schema.document(base="/api/v1", secured=True)
DOCUMENT: dict[str, Any] = json.loads(msgspec.json.encode(MADE))


def test_every_route_is_in_the_document() -> None:
    told = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert told == {(route.method, route.path) for route in ROUTES}
    assert len({route.name for route in ROUTES}) == len(ROUTES)


def test_the_document_is_openapi() -> None:
    loaded = schemathesis.openapi.from_dict(DOCUMENT)
    assert len(list(loaded.get_all_operations())) == len(ROUTES)
    for component in DOCUMENT["components"]["schemas"].values():
        whole = {**component, "components": DOCUMENT["components"]}
        jsonschema_rs.meta.validate(whole)


def schemas_in(value: Any) -> Iterator[Any]:
    """Every value of a member `items`, which is a schema and no list of them."""
    if isinstance(value, dict):
        if "items" in value:
            yield value["items"]
        for each in value.values():
            yield from schemas_in(each)


def test_the_items_of_lists_are_of_one_schema() -> None:
    found = list(schemas_in(DOCUMENT["components"]["schemas"]))
    assert found and all(isinstance(each, dict) for each in found)


def test_every_route_says_what_it_does_who_may_and_what_can_go_wrong() -> None:
    for route in ROUTES:
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert operation["summary"] and operation["x-codeSamples"]
        assert route.role in operation["description"]
        assert {"400", "401", "403", "422", "429", "503"} <= operation["responses"].keys()
        assert route.noun in NOUNS


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_an_example_is_what_the_route_takes(route: Route) -> None:
    if route.query is not None:
        reading.query_of(request(curl.query_text(route.example.query).removeprefix("?")), route.query)
    if route.body is not None:
        assert route.example.body is not None
        reading.body_of(json.dumps(route.example.body).encode(), route.body)


def test_every_kind_of_problem_has_its_status_once() -> None:
    assert all(400 <= status < 600 and title for status, title in problems.KINDS.values())
    assert {name for _, name in problems._OF} <= problems.KINDS.keys()
