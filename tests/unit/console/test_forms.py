"""Forms from the schemas of parameters: which fields, what they come to, what is refused and where."""

from __future__ import annotations

from typing import Any

import pytest

from durably.console.views.forms import Wrong, arguments, fields, wrong_with

ORDER = {
    "title": "Order",
    "type": "object",
    "required": ["id", "lines"],
    "properties": {
        "id": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"count": {"type": "integer"}}}},
    },
}
SIGNATURE: dict[str, Any] = {
    "parameters": [
        {"name": "event", "kind": "positional", "required": True, "schema": {"type": "string"}},
        {"name": "seats", "kind": "positional", "required": True, "schema": {"type": "integer"}},
        {
            "name": "gift",
            "kind": "positional",
            "required": False,
            "default": False,
            "schema": {"type": "boolean"},
        },
        {
            "name": "note",
            "kind": "positional",
            "required": False,
            "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        {
            "name": "order",
            "kind": "keyword",
            "required": False,
            "schema": {"$ref": "#/$defs/Order"},
        },
        {"name": "size", "kind": "keyword", "required": False, "schema": {"enum": ["s", "m"]}},
    ],
    "$defs": {"Order": ORDER},
}


def test_each_parameter_gets_a_field_of_its_type() -> None:
    made = fields(SIGNATURE)
    assert [(f.name, f.kind, f.required) for f in made] == [
        ("event", "text", True),
        ("seats", "number", True),
        ("gift", "truth", False),
        ("note", "text", False),
        ("order", "json", False),
        ("size", "choice", False),
    ]
    assert made[2].hint == "boolean; left out, false"
    assert made[4].hint == "Order with id, lines; may be left out"
    assert made[5].choices == ("s", "m")


def test_arguments_go_by_position_until_one_is_left_out() -> None:
    given = {"p.event": "Sonic", "p.seats": "2"}
    assert arguments(fields(SIGNATURE), given) == (["Sonic", 2], {})
    assert arguments(fields(SIGNATURE), given | {"p.note": "x", "p.gift": ""}) == (
        ["Sonic", 2],
        {"note": "x"},
    )
    assert arguments(fields(SIGNATURE), given | {"p.gift": "true", "p.size": "m"}) == (
        ["Sonic", 2, True],
        {"size": "m"},
    )


@pytest.mark.parametrize(
    ("given", "name", "why"),
    [
        ({"p.event": "E"}, "seats", "it is required"),
        ({"p.event": "E", "p.seats": "two"}, "seats", "it is not a number"),
        ({"p.event": "E", "p.seats": "2.5"}, "seats", "expected integer, got 2.5"),
        ({"p.event": "E", "p.seats": "2", "p.order": "{"}, "order", "it is not JSON"),
        ({"p.event": "E", "p.seats": "2", "p.order": '{"id": "1"}'}, "order", "lines is missing"),
        (
            {"p.event": "E", "p.seats": "2", "p.order": '{"id": "1", "lines": [{"count": "x"}]}'},
            "order",
            r"lines\[0\].count: expected integer",
        ),
        ({"p.event": "E", "p.seats": "2", "p.size": "xl"}, "size", 'one of "s", "m"'),
    ],
)
def test_what_does_not_fit_is_refused_where_it_stands(given: dict[str, str], name: str, why: str) -> None:
    with pytest.raises(Wrong, match=why) as caught:
        arguments(fields(SIGNATURE), given)
    assert caught.value.name == name


def test_a_schema_that_leads_to_itself_ends() -> None:
    definitions = {"Tree": {"$ref": "#/$defs/Tree"}}
    assert wrong_with({"$ref": "#/$defs/Tree"}, 1, definitions) is None
    assert fields({"parameters": [{"name": "t", "schema": {"$ref": "#/$defs/Tree"}}], "$defs": definitions})
