"""Stored values as text that people read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from durably.console.views.payloads import clean, failed, pretty, revived, shown
from durably.types import Payload


def payload(text: str, value: Any = None, **fields: Any) -> Payload:
    return Payload(text=text, size=len(text), value=value, **fields)


def test_arguments_without_names_are_a_list() -> None:
    found = shown(payload("x", {"args": (1, "a"), "kwargs": {}}), sees=True)
    assert found is not None
    assert found.line == '[1, "a"]'


def test_who_may_not_see_it_sees_nothing_of_it() -> None:
    found = shown(payload('"secret"', "secret"), sees=False)
    assert found is not None
    assert (found.text, found.size) == ("hidden for your role", "")
    error = failed(payload('{"name": "E", "message": "m", "data": "secret", "stack": "secret"}'), sees=False)
    assert error is not None
    assert (error.name, error.message, error.data, error.traceback) == ("E", "m", "", "")
    raw = failed(payload("gASsecret", unreadable="it is a pickle"), sees=False)
    assert raw is not None
    assert raw.message == ""


def test_what_is_cut_says_of_how_much() -> None:
    found = shown(Payload(text="x" * 10, size=10_485_760, is_cut=True), sees=True)
    assert found is not None
    assert found.note == "The first 10 characters of 10.0 MB."


def test_what_cannot_be_decoded_says_why() -> None:
    found = shown(payload("gASV", unreadable="it is a pickle"), sees=True)
    assert found is not None
    assert (found.text, found.note) == ("gASV", "Not decoded: it is a pickle")


def test_what_json_has_no_form_for_is_shown() -> None:
    value = {"at": datetime(2026, 1, 1, tzinfo=UTC), "raw": b"\x00", "set": {"a"}}
    assert (
        pretty(value)
        == '{\n  "at": "2026-01-01T00:00:00+00:00",\n  "raw": "AA==",\n  "set": [\n    "a"\n  ]\n}'
    )
    assert pretty({(1, 2): 3}) == "{(1, 2): 3}"
    circle: list[Any] = []
    circle.append(circle)
    assert pretty(circle) == "[[...]]"


def test_text_that_cannot_be_sent_is_escaped() -> None:
    assert clean("a\ud800b") == "a\\ud800b"
    assert clean("\x1b[31mred\x9b") == "\\x1b[31mred\\x9b"
    assert clean("line\nline\tü") == "line\nline\tü"


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "E", "message": "m", "code": 409, "stack": "at x"}',
        '{"json": {"name": "E", "message": "m", "code": 409, "stack": "at x"}, "meta": {}}',
    ],
)
def test_an_error_of_either_format(text: str) -> None:
    found = failed(payload(text), sees=True)
    assert found is not None
    assert (found.name, found.message, found.code, found.traceback) == ("E", "m", "409", "at x")


def test_an_edit_keeps_the_types_of_what_was_not_touched() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    recorded = {"at": at, "seats": ("a", "b"), "n": 1}
    edited = {"at": "2026-01-01T00:00:00+00:00", "seats": ["a", "c"], "n": 2}
    assert revived(edited, recorded) == {"at": at, "seats": ["a", "c"], "n": 2}
    assert revived("2027-05-01T00:00:00+00:00", at) == datetime(2027, 5, 1, tzinfo=UTC)
    assert revived("tomorrow", at) == "tomorrow"
