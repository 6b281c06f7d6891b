"""Any value comes back equal, or is refused; any text is read, or is a DecodeError."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from durably.codec import Codecs, Parameters, Pickle, PortableJSON, SuperJSON
from durably.errors import DecodeError, EncodeError

portable = PortableJSON()
js = SuperJSON()


class Kind(Enum):
    A = "a"
    B = "b"


@dataclass
class Everything:
    text: str
    number: float
    at: datetime
    on: date
    clock: time
    lasting: timedelta
    price: Decimal
    id: UUID
    blob: bytes
    kind: Kind
    tags: frozenset[str] = frozenset()
    pair: tuple[int, date] | None = None
    by_number: dict[int, Kind] = field(default_factory=dict)
    children: list[Everything] = field(default_factory=list)


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
)
plain = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
anything = st.recursive(
    leaves
    | st.integers()
    | st.floats()
    | st.binary(max_size=3)
    | st.characters()
    | st.decimals()
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=10,
)
everything = st.builds(
    Everything,
    number=st.floats(allow_nan=False, allow_infinity=False),
    at=st.datetimes(
        min_value=datetime(1, 1, 3),
        max_value=datetime(9999, 12, 29),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9.5))]),
    ),
    clock=st.times(),
    price=st.decimals(allow_nan=False),
    pair=st.none() | st.tuples(st.integers(-5, 5), st.dates()),
    by_number=st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.sampled_from(Kind), max_size=2),
    children=st.just([]),
)


@given(plain)
def test_plain_values(value: Any) -> None:
    for codec in (portable, js):
        assert codec.decode(codec.encode(value)) == value


@given(plain)
def test_the_quick_way_and_the_exact_way_write_the_same(value: Any) -> None:
    text = portable.encode(value)
    assert portable.encode([value, b""]) == f'[{text},""]'


@given(
    st.lists(plain, max_size=4),
    st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), plain, max_size=3),
)
def test_arguments(args: list[Any], kwargs: dict[str, Any]) -> None:
    text = portable.encode_arguments(tuple(args), kwargs)
    assert portable.decode_arguments(text) == (tuple(args), kwargs)


@given(everything, everything)
def test_typed_values(value: Everything, child: Everything) -> None:
    value.children = [child]
    back = portable.decode(portable.encode(value), Everything)
    assert back == value
    assert [type(item) for item in vars(back).values()] == [type(item) for item in vars(value).values()]


@given(anything)
def test_what_is_written_is_json_that_every_reader_reads(value: Any) -> None:
    try:
        text = portable.encode(value)
    except EncodeError:
        return
    text.encode()

    def never(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(text, parse_constant=never)


@settings(suppress_health_check=[HealthCheck.too_slow])  # which is about the machine, not about the codec
@example('"\ud800"')
@given(st.text(alphabet='{}[],:"01.-eaNn\\u\ud800 ', max_size=30) | plain.map(json.dumps))
def test_any_text_is_read_or_is_a_decode_error(text: str) -> None:
    for codec in (portable, js, Pickle()):
        for read in (codec.decode, codec.decode_arguments, codec.decode_error):
            try:
                read(text)
            except DecodeError:
                pass


@given(plain, plain, plain)
def test_any_record_is_an_error(name: Any, message: Any, data: Any) -> None:
    text = json.dumps({"name": name, "message": message, "code": data, "data": data})
    assert isinstance(Codecs().decode_error("w", text, None), BaseException)


def function(a: int, b: Everything | None = None, *rest: date, c: Kind = Kind.A) -> None: ...


parameters = Parameters.of(function)


@given(st.lists(plain, max_size=4), st.dictionaries(st.sampled_from("abcde"), plain, max_size=3))
def test_any_arguments_fit_or_are_a_decode_error(args: list[Any], kwargs: dict[str, Any]) -> None:
    text = portable.encode_arguments(tuple(args), kwargs)
    try:
        args_read, kwargs_read = portable.decode_arguments(text, parameters)
    except DecodeError:
        return
    assert len(args_read) == len(args)
    assert kwargs_read.keys() == kwargs.keys()
