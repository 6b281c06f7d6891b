"""A call's arguments: exact envelopes, and what does not fit the function."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from durably.codec import Parameters, Pickle, PortableJSON, SuperJSON
from durably.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from nowhere import Ghost  # type: ignore[import-not-found]

codec = PortableJSON()


@dataclass
class Seat:
    row: int
    sold: date | None = None


def buy(event: str, seats: list[Seat], at: datetime, *rest: date, note: str = "", **more: Seat) -> int:
    return 0


def simple(a: int, b: str = "") -> str:
    return ""


def ghostly(a: Ghost, b: date) -> Ghost:
    return a


def untyped(a, b=1, /, c=2, *, d):  # type: ignore[no-untyped-def]
    return None


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((), {}, '{"namedArgs":{},"positionalArgs":[]}'),
        ((1, "ä", None), {"k": 2}, '{"namedArgs":{"k":2},"positionalArgs":[1,"ä",null]}'),
        ((date(2025, 1, 1),), {"k": {1}}, '{"namedArgs":{"k":[1]},"positionalArgs":["2025-01-01"]}'),
    ],
)
def test_the_envelope_is_the_one_of_dbos_python(
    args: tuple[Any, ...], kwargs: dict[str, Any], text: str
) -> None:
    assert codec.encode_arguments(args, kwargs) == text


@pytest.mark.parametrize(
    ("text", "args", "kwargs"),
    [
        ("{}", (), {}),
        ('{"positionalArgs":null,"namedArgs":null}', (), {}),
        ('{"positionalArgs":[1,"a",null]}', (1, "a", None), {}),
        ('{"positionalArgs" : [1], "namedArgs" : {"k":2}, "new":3}', (1,), {"k": 2}),
    ],
)
def test_what_every_sdk_writes_is_read(text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    assert codec.decode_arguments(text) == (args, kwargs)


def test_nan_among_the_arguments_of_dbos_python_is_read() -> None:
    assert repr(codec.decode_arguments('{"positionalArgs":[NaN]}')) == "((nan,), {})"


@pytest.mark.parametrize("text", ["null", "[]", "1", '{"positionalArgs":{"a":1}}', '{"namedArgs":[]}'])
def test_another_shape_is_refused(text: str) -> None:
    with pytest.raises(DecodeError, match="positionalArgs"):
        codec.decode_arguments(text)


def test_arguments_come_back_as_annotated() -> None:
    args = ("x", [Seat(1, date(2025, 1, 1))], datetime(2025, 1, 1, tzinfo=UTC), date(2025, 1, 2))
    kwargs = {"note": "n", "other": Seat(2)}
    text = codec.encode_arguments(args, kwargs)
    assert codec.decode_arguments(text, Parameters.of(buy)) == (args, kwargs)


def test_keyword_for_a_positional_parameter() -> None:
    text = codec.encode_arguments((1,), {"b": "x"})
    assert codec.decode_arguments(text, Parameters.of(simple)) == ((1,), {"b": "x"})


def test_defaults_are_not_filled_in() -> None:
    assert codec.decode_arguments('{"positionalArgs":[1]}', Parameters.of(simple)) == ((1,), {})


@pytest.mark.parametrize(
    ("function", "text", "message"),
    [
        (simple, "{}", "simple.*parameter 'a' is missing"),
        (simple, '{"positionalArgs":[1,"a",2]}', "takes 2 positional arguments, 3 are stored"),
        (simple, '{"positionalArgs":["x"]}', "parameter 'a': Expected `int`, got `str`"),
        (simple, '{"namedArgs":{"a":"x"}}', "parameter 'a': Expected `int`"),
        (simple, '{"positionalArgs":[1],"namedArgs":{"a":2}}', "'a' is stored twice"),
        (simple, '{"positionalArgs":[1],"namedArgs":{"z":2}}', "no parameter 'z'"),
        (untyped, '{"positionalArgs":[1]}', "'d' is missing"),
        (untyped, '{"namedArgs":{"a":1,"d":1}}', "no parameter 'a'"),
        (buy, '{"positionalArgs":["x",[{"row":"1"}],"2025-01-01T00:00:00Z"]}', r"'seats': .*row"),
        (buy, '{"positionalArgs":["x",[],"2025-01-01T00:00:00Z","no"]}', "parameter 'rest'"),
        (buy, '{"positionalArgs":["x",[],"2025-01-01T00:00:00Z"],"namedArgs":{"z":1}}', "parameter 'z'"),
    ],
)  # fmt: skip
def test_the_error_names_the_parameter(function: Callable[..., Any], text: str, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        codec.decode_arguments(text, Parameters.of(function))


def test_an_annotation_that_cannot_be_resolved_counts_as_none() -> None:
    parameters = Parameters.of(ghostly)
    assert parameters.result_type is Any
    text = codec.encode_arguments(({"any": 1}, date(2025, 1, 1)), {})
    assert codec.decode_arguments(text, parameters)[0] == ({"any": 1}, date(2025, 1, 1))


class Desk:
    def sell(self, on: date) -> Seat:
        return Seat(1, on)

    def __call__(self, on: date) -> None: ...


def test_methods_and_objects_that_can_be_called() -> None:
    text = codec.encode_arguments((date(2025, 1, 1),), {})
    for parameters in (Parameters.of(Desk().sell), Parameters.of(Desk.sell, skip=1), Parameters.of(Desk())):
        assert codec.decode_arguments(text, parameters) == ((date(2025, 1, 1),), {})
    assert Parameters.of(Desk().sell).result_type is Seat
    assert codec.decode_arguments(text, Parameters.of(print)) == (("2025-01-01",), {})


def keyed(counts: dict[int, str]) -> None: ...


def test_keys_that_the_parameters_bring_back_are_allowed() -> None:
    parameters = Parameters.of(keyed)
    text = codec.encode_arguments(({1: "a"},), {}, parameters=parameters)
    assert codec.decode_arguments(text, parameters) == (({1: "a"},), {})
    with pytest.raises(EncodeError, match="arguments"):
        codec.encode_arguments(({1: "a"},), {})


def test_the_path_of_an_argument() -> None:
    with pytest.raises(EncodeError) as caught:
        codec.encode_arguments((1, {"items": {"a b": object()}}), {})
    assert caught.value.path == "[1].items['a b']"
    with pytest.raises(EncodeError) as caught:
        codec.encode_arguments((), {"k": [object()]})
    assert caught.value.path == ".k[0]"


def test_superjson_arguments_are_positional() -> None:
    js = SuperJSON()
    text = js.encode_arguments((1, "a", {"x": [1]}), {})
    assert text == '{"json":[1,"a",{"x":[1]}],"__dbos_serializer":"superjson"}'
    assert js.decode_arguments(text) == ((1, "a", {"x": [1]}), {})
    with pytest.raises(EncodeError, match="by position"):
        js.encode_arguments((), {"k": 1})
    with pytest.raises(DecodeError):
        js.decode_arguments(js.encode(1))


def test_superjson_arguments_are_typed_too() -> None:
    js = SuperJSON()
    args = ("x", [Seat(1, date(2025, 1, 1))], datetime(2025, 1, 1, tzinfo=UTC))
    assert js.decode_arguments(js.encode_arguments(args, {}), Parameters.of(buy)) == (args, {})


def test_pickled_arguments_are_those_of_dbos_python() -> None:
    pickled = Pickle()
    text = "gASVJgAAAAAAAAB9lCiMBGFyZ3OUSwGMAWGUhpSMBmt3YXJnc5R9lIwBa5RLAnN1Lg=="
    assert pickled.encode_arguments((1, "a"), {"k": 2}) == text
    assert pickled.decode_arguments(text) == ((1, "a"), {"k": 2})
    with pytest.raises(DecodeError, match="no parameter 'k'"):
        pickled.decode_arguments(text, Parameters.of(simple))
    with pytest.raises(DecodeError):
        pickled.decode_arguments(pickled.encode([1]))


def test_the_texts_are_json() -> None:
    json.loads(codec.encode_arguments((1,), {}))
    json.loads(SuperJSON().encode_arguments((1,), {}))
