"""`portable_json`: exact texts, what is refused, what comes back."""

from __future__ import annotations

import collections
import dataclasses
import enum
import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest

from durably.codec import PortableJSON
from durably.errors import DecodeError, EncodeError

codec = PortableJSON()


class Colour(enum.Enum):
    RED = "red"
    BLUE = 2


class Size(enum.StrEnum):
    LARGE = "l"


class Corner(enum.Enum):
    TOP = (0, 1)


@dataclasses.dataclass
class Line:
    sku: str
    price: Decimal
    at: datetime | None = None
    _hidden: int = 0


@dataclasses.dataclass
class Order:
    lines: list[Line]
    by_day: dict[date, int]
    by_id: dict[UUID, Colour]
    counts: dict[int, str]
    blob: bytes


class Tagged(msgspec.Struct, tag="t", rename="camel"):
    unit_price: Decimal
    note: str | msgspec.UnsetType = msgspec.UNSET


class Row(msgspec.Struct, array_like=True):
    a: int
    b: date


@attrs.define
class Box:
    size: Size
    _inner: int = 1


class Model(pydantic.BaseModel):
    at: datetime
    price: Decimal
    other: str = pydantic.Field(default="x", alias="theOther")


class Strict(pydantic.BaseModel, strict=True):
    on: date


class Names(pydantic.RootModel[list[str]]):
    pass


@pydantic.dataclasses.dataclass
class Positive:
    n: int = pydantic.Field(gt=0)


@dataclasses.dataclass
class Dog:
    name: str


@dataclasses.dataclass
class Cat:
    name: str
    lives: int


@dataclasses.dataclass
class Kennel:
    first: Dog | Cat | None
    rest: list[Dog | Cat]
    next: Kennel | None = None


@attrs.define
class Crate:
    pet: Dog | Cat
    _inner: int = 1


class Point(NamedTuple):
    x: int
    y: Decimal


class Options(TypedDict, total=False):
    due: date


WHEN = datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.0, "1.0"),
        ("ü\u2028\0", '"ü\u2028\\u0000"'),
        ((1, [2, (3,)]), "[1,[2,[3]]]"),
        ({"b": 1, "a": {}}, '{"b":1,"a":{}}'),
        (collections.OrderedDict(a=collections.deque([1])), '{"a":[1]}'),
        (WHEN, '"2025-06-15T15:06:40.000Z"'),
        (WHEN.replace(microsecond=7000), '"2025-06-15T15:06:40.007Z"'),
        (WHEN.replace(microsecond=7), '"2025-06-15T15:06:40.000007Z"'),
        (WHEN.replace(tzinfo=None), '"2025-06-15T15:06:40.000Z"'),
        (WHEN.astimezone(timezone(timedelta(hours=2))), '"2025-06-15T15:06:40.000Z"'),
        (date(2025, 6, 1), '"2025-06-01"'),
        (time(1, 2, 3), '"01:02:03"'),
        (timedelta(seconds=1.5), '"PT1.5S"'),
        (Decimal("1E+5"), '"100000"'),
        (Decimal("1.10"), '"1.10"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (b"\x00\xff", '"AP8="'),
        (bytearray(b"a"), '"YQ=="'),
        ({3, 1, 2}, "[1,2,3]"),
        (frozenset("a"), '["a"]'),
        ([Colour.RED, Colour.BLUE, Size.LARGE], '["red",2,"l"]'),
        ({Size.LARGE: 1}, '{"l":1}'),
        (Tagged(Decimal(1)), '{"type":"t","unitPrice":"1"}'),
        (Row(1, date(2025, 1, 1)), '[1,"2025-01-01"]'),
        (Names(["a"]), '["a"]'),
        (Point(1, Decimal(2)), '[1,"2"]'),
        (Box(Size.LARGE), '{"size":"l","_inner":1}'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_text(value: object, text: str) -> None:
    assert codec.encode(value) == text
    assert json.loads(text) == codec.decode(text)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (WHEN, datetime),
        (WHEN.replace(microsecond=1), datetime | None),
        (date.max, date),
        (time(1, 2, 3, 4), time),
        (timedelta.max, timedelta),
        (timedelta(days=-1, microseconds=1), timedelta),
        (Decimal("1E-7"), Decimal),
        (Decimal("1E+999999"), Decimal),
        (b"\xff\0", bytes),
        ({1, 2}, set[int]),
        (frozenset([WHEN]), frozenset[datetime]),
        ((1, WHEN), tuple[int, datetime]),
        (Colour.BLUE, Colour),
        (Corner.TOP, Corner),
        ([Corner.TOP], list[Corner]),
        (
            Order(
                [Line("a", Decimal("1.1"), WHEN, 3)],
                {date(2025, 1, 1): 1},
                {UUID(int=1): Colour.RED},
                {1: "x"},
                b"z",
            ),
            Order,
        ),
        (Kennel(Dog("a"), [Cat("b", 9), Dog("c")], Kennel(None, [])), Kennel),
        (Crate(Dog("a"), 4), Crate),
        (Tagged(Decimal(1), "n"), Tagged),
        (Row(1, date(2025, 1, 1)), Row),
        (Box(Size.LARGE, 4), Box),
        ([Model(at=WHEN, price=Decimal("1.5"), theOther="y")], list[Model]),
        (Strict(on=date(2025, 1, 1)), Strict | None),
        (Names(["a"]), Names),
        ({"a": Positive(n=1)}, dict[str, Positive]),
        (Point(1, Decimal("2.5")), Point),
        (Options(due=date(2025, 1, 1)), Options),
        (Line("a", Decimal(1)), Line | Tagged),
        ([Model(at=WHEN, price=Decimal(1)), Line("a", Decimal(1))], list[Model | Line]),
        (5, int | str | Decimal),
        ({1: {2: "x"}}, dict[int, dict[int, str]]),
        ({Colour.BLUE: 1}, dict[Colour, int]),
        ({WHEN: 1}, dict[datetime, int]),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_typed_values_come_back(value: object, hint: Any) -> None:
    text = codec.encode(value, type_=hint)
    json.loads(text)
    back = codec.decode(text, hint)
    assert back == value
    assert type(back) is type(value)


def refusal(value: object, **options: Any) -> EncodeError:
    with pytest.raises(EncodeError) as caught:
        PortableJSON(**options).encode(value, subject="result")
    return caught.value


def test_nan_is_refused() -> None:
    error = refusal({"a": [1.0, math.nan]})
    assert (error.path, error.type_name) == (".a[1]", "float")


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinities_are_refused(value: float) -> None:
    assert refusal([value]).path == "[0]"


def test_nul_characters_round_trip_because_json_escapes_them() -> None:
    text = codec.encode({"a\0b": "\0"})
    assert "\0" not in text
    assert codec.decode(text) == {"a\0b": "\0"}


@pytest.mark.parametrize("value", [["\ud800"], {"a": "x\udfff"}, {"\ud800": 1}])
def test_a_lone_surrogate_is_refused(value: object) -> None:
    assert "lone surrogate" in refusal(value).hint


def test_integers_beyond_2_53_are_refused_with_a_hint() -> None:
    assert codec.decode(codec.encode([2**53, -(2**53)])) == [2**53, -(2**53)]
    assert "big_integers" in refusal([2**53 + 1]).hint
    assert refusal({"n": -(2**70)}).path == ".n"


def test_big_integers_are_written_as_digits_when_asked_for() -> None:
    lenient = PortableJSON(big_integers=True)
    text = lenient.encode({"n": [10**30, -(2**63) - 1]})
    assert text == '{"n":[1000000000000000000000000000000,-9223372036854775809]}'
    assert codec.decode(text) == {"n": [10**30, -(2**63) - 1]}
    assert "digits" in refusal(10**5000, big_integers=True).hint


def test_ten_megabytes_round_trip() -> None:
    value = {"text": "é\0x" * (10 * 2**20 // 4)}
    assert codec.decode(codec.encode(value)) == value


def test_a_cycle_is_refused_where_it_closes() -> None:
    value: dict[str, Any] = {"children": []}
    value["children"].append(value)
    error = refusal(value)
    assert (error.path, "cycle" in error.hint) == (".children[0]", True)
    twice: list[Any] = []
    twice += [twice, twice]
    assert "cycle" in refusal(twice).hint


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_depth_is_limited_to_200() -> None:
    assert codec.decode(codec.encode(nested(200))) == nested(200)
    assert "deeper than 200" in refusal(nested(201)).hint
    assert "deeper than 200" in refusal(nested(100_000)).hint


def test_bytes_are_base64_and_come_back_by_annotation() -> None:
    assert codec.decode(codec.encode(b"\xff")) == "/w=="
    assert codec.decode(codec.encode(b"\xff"), bytes) == b"\xff"


@pytest.mark.parametrize("key", [1, None, 1.5, (1,), UUID(int=1), Colour.BLUE, b"a", True])
def test_keys_that_would_not_come_back_are_refused(key: object) -> None:
    error = refusal({"a": {key: 1}})
    assert error.path == ".a"
    assert error.type_name.endswith(" key")


class Opaque:
    __slots__ = ()


def test_the_error_names_the_place_and_the_type() -> None:
    error = refusal([1, {"items": {"a b": Opaque()}}])
    assert (error.path, error.subject) == ("[1].items['a b']", "result")
    assert error.type_name == f"{__name__}.Opaque"
    assert str(error).startswith("result[1].items['a b'] cannot be stored: ")
    assert error.__cause__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize(
    "value", [iter([]), print, int, ValueError(), 1j, object()], ids=lambda value: type(value).__name__
)
def test_what_is_no_value_is_refused(value: object) -> None:
    assert refusal(Line("x", Decimal(1), value)).path == ".at"  # type: ignore[arg-type]


def test_pydantic_that_is_not_json_is_refused() -> None:
    class Binary(pydantic.BaseModel):
        blob: bytes

    assert "pydantic" in refusal(Binary(blob=b"\xff")).hint


@pytest.mark.parametrize(("text", "value"), [("NaN", math.nan), ('{"a":[-Infinity]}', {"a": [-math.inf]})])
def test_what_dbos_python_writes_of_nan_is_read(text: str, value: object) -> None:
    assert repr(codec.decode(text)) == repr(value)
    assert repr(codec.decode(text, type(value))) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nul",
        "[1,]",
        "\ud800",
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 100_000,
        "9" * 5000,
    ],
    ids=lambda text: text[:8],
)
@pytest.mark.parametrize("hint", [Any, list[int], Line])
def test_a_hostile_text_is_a_decode_error(text: str, hint: Any) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(text, hint)
    assert caught.value.serialization == "portable_json"
    with pytest.raises(DecodeError):
        codec.decode_arguments(text)
    with pytest.raises(DecodeError):
        codec.decode_error(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('"x"', int),
        ('{"sku":1}', Line),
        ("[{}]", list[Line]),
        ('{"n":0}', Positive),
        ('"x"', Positive | None),
        ("1", Opaque),
        ("1", Line | Box),
        ('{"a":1}', Corner),
        ("null", "Nonsense"),
    ],
)
def test_what_does_not_fit_the_annotation_is_a_decode_error(text: str, hint: Any) -> None:
    with pytest.raises(DecodeError, match="does not fit"):
        codec.decode(text, hint)


def test_a_union_that_cannot_be_told_apart_is_refused() -> None:
    @dataclasses.dataclass
    class Wolf:
        name: str

    assert codec.decode('{"name":"x","lives":9}', Dog | Cat) == Cat("x", 9)
    assert codec.decode('{"name":"x"}', Dog | Cat) == Dog("x")
    with pytest.raises(DecodeError, match="more than one part"):
        codec.decode('{"name":"x"}', Dog | Wolf)


def test_members_that_the_reader_does_not_know_are_ignored() -> None:
    assert codec.decode('{"sku":"a","price":"1","new":true}', Line) == Line("a", Decimal(1))
