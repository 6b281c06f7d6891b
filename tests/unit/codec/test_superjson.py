"""Hostile and odd superjson: notes that do not fit, bombs, markers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from durably.codec import SuperJSON
from durably.errors import DecodeError, EncodeError

codec = SuperJSON()


def text(value: Any, notes: Any = None, equal: Any = None) -> str:
    meta = {"values": notes} if equal is None else {"values": notes, "referentialEqualities": equal}
    return json.dumps({"json": value, "meta": meta, "__dbos_serializer": "superjson"})


@pytest.mark.parametrize(
    "wrong",
    ["1", "[]", "null", "{}", '{"json":1}', '{"json":1,"__dbos_serializer":"x"}', "[" * 100_000, "{"],
    ids=lambda wrong: wrong[:12],
)
def test_a_text_without_the_marker_is_refused(wrong: str) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(wrong)
    assert caught.value.serialization == "js_superjson"


@pytest.mark.parametrize(
    ("value", "notes"),
    [
        ("x", ["bigint"]),
        ("9" * 5000, ["bigint"]),
        ("x", ["number"]),
        ([300], [["typed-array", "Uint8Array"]]),
        ([[1]], [["custom", "Buffer"]]),
        (["x"], {"0": ["bigint"]}),
        (1, []),
        ({"a": 1}, {"a": []}),
    ],
)
def test_notes_that_do_not_fit_are_a_decode_error(value: Any, notes: Any) -> None:
    with pytest.raises(DecodeError):
        codec.decode(text(value, notes))


@pytest.mark.parametrize(
    ("value", "notes"),
    [
        ([1], {"7": ["Date"], "x": ["set"], "99999999999999999999": ["set"], "-1": ["set"], "": ["set"]}),
        ({"a": 1}, {"b.c.d": ["Date"], "a.b": ["set"]}),
        ("x", [["custom", "of mine"]]),
        ("x", [["symbol", "s"]]),
        ("x", [7]),
        (5, ["set"]),
        ([1], ["map"]),
        ("x", ["unheard of"]),
        (2**33, [["typed-array", "Uint8Array"]]),
        (2**33, [["custom", "Buffer"]]),
    ],
)
def test_notes_about_nothing_change_nothing(value: Any, notes: Any) -> None:
    assert codec.decode(text(value, notes)) == value


def test_a_note_under_an_unescaped_dotted_key_finds_its_value() -> None:
    assert codec.decode(text({"x": {"a.b": "1"}}, {"x.a.b": ["bigint"]})) == {"x": {"a.b": 1}}


def test_what_superjson_left_out_of_equal_values_is_filled_in() -> None:
    assert codec.decode(text({"a": {"n": 1}, "b": [None]}, None, {"a": ["b.0"]})) == {
        "a": {"n": 1},
        "b": [{"n": 1}],
    }


def test_equal_values_that_would_double_for_ever_are_refused() -> None:
    value = {str(n): [None, None] for n in range(50)}
    equal = {str(n): [f"{n + 1}.0", f"{n + 1}.1"] for n in range(49)}
    with pytest.raises(DecodeError):
        codec.decode(text(value, None, equal))


@pytest.mark.parametrize("equal", [{"a": 1}, {"a": [1]}, [1, {"a": ["b"]}], "x", {"zz": ["b"]}, {"": [""]}])
def test_equalities_of_any_shape_never_crash(equal: Any) -> None:
    try:
        codec.decode(text({"a": {"n": 1}, "b": None}, None, equal))
    except DecodeError:
        pass


def test_notes_nested_too_deeply_are_a_decode_error() -> None:
    notes: Any = ["set"]
    for _ in range(900):
        notes = {"a": notes}
    try:
        codec.decode(text({"a": 1}, notes))
    except DecodeError:
        pass


def test_what_cannot_be_written_is_refused_with_its_path() -> None:
    with pytest.raises(EncodeError) as caught:
        codec.encode({"a": [object()]})
    assert caught.value.path == ".a[0]"


def test_keys_of_any_kind_make_a_map() -> None:
    for value in ({1: {2: "x"}}, {None: 1}, {(1): [1]}, {b"k": 1}):
        assert codec.decode(codec.encode(value)) == value
