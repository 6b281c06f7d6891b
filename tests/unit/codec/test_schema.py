"""Parameters as JSON schemas: what forms are made of."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from enum import Enum
from typing import Any, Literal

from durably.codec import Parameters


@dataclasses.dataclass
class Line:
    sku: str
    count: int = 1


class Colour(Enum):
    RED = "red"


class Foreign:
    pass


def test_each_parameter_has_its_schema() -> None:
    def f(
        event: str, seats: int, *, lines: list[Line], when: datetime | None = None, gift: bool = False
    ) -> None: ...

    told = Parameters.of(f).schema()
    assert [(p["name"], p["kind"], p["required"]) for p in told["parameters"]] == [
        ("event", "positional", True),
        ("seats", "positional", True),
        ("lines", "keyword", True),
        ("when", "keyword", False),
        ("gift", "keyword", False),
    ]
    schemas = [p["schema"] for p in told["parameters"]]
    assert schemas[:2] == [{"type": "string"}, {"type": "integer"}]
    assert schemas[2]["items"] == {"$ref": "#/$defs/Line"}
    assert told["$defs"]["Line"]["required"] == ["sku"]
    assert told["parameters"][4]["default"] is False


def test_what_has_no_schema_takes_anything() -> None:
    def f(a, b: Any, c: Foreign, d: dict[Foreign, int], *rest: int, **more: int) -> None: ...  # type: ignore[no-untyped-def]

    told = Parameters.of(f).schema()
    assert [p["name"] for p in told["parameters"]] == ["a", "b", "c", "d"]
    assert [p["schema"] for p in told["parameters"][:2]] == [{}, {}]


def test_choices_are_told() -> None:
    def f(size: Literal["s", "m"], colour: Colour = Colour.RED) -> None: ...

    first, second = Parameters.of(f).schema()["parameters"]
    assert sorted(first["schema"]["enum"]) == ["m", "s"]
    assert second["default"] == "red"
