"""What a request says is read strictly: exactly what the types say, or refused by name."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import Request

from durably.console.api import reading
from durably.console.api.enqueueing import Work, Works
from durably.console.api.filters import Listing
from durably.console.api.problems import Refused
from durably.console.api.steering import From


def request(query: str = "", body: bytes = b"", **headers: str) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "query_string": query.encode("latin-1"), "headers": named}
    return Request(scope, receive)


def refused(query: str) -> Refused:
    with pytest.raises(Refused) as caught:
        reading.query_of(request(query), Listing)
    return caught.value


def test_a_query_is_read_as_its_types_say() -> None:
    read = reading.query_of(
        request(
            "status=ERROR&status=CANCELLED&limit=7&sort_desc=true&start_time=5&end_time=2026-01-01T00:00:00Z"
            '&attributes={"a":1}&name=a%20b%2Fc'
        ),
        Listing,
    )
    assert (read.status, read.limit, read.sort_desc) == (["ERROR", "CANCELLED"], 7, True)
    assert (read.start_time, read.end_time) == (5, datetime(2026, 1, 1, tzinfo=UTC))
    assert (read.attributes, read.name) == ({"a": 1}, ["a b/c"])


@pytest.mark.parametrize(
    ("query", "option"),
    [
        ("limit=0", "limit"),
        ("limit=01", "limit"),
        ("limit=", "limit"),
        ("limit=null", "limit"),
        ("limit=1.0", "limit"),
        ("limit=1&limit=2", "limit"),
        ("sort_desc=1", "sort_desc"),
        ("sort_desc=True", "sort_desc"),
        ("status=NOPE", "status[0]"),
        ("attributes=[]", "attributes"),
        ("attributes={", "attributes"),
        ("start_time=-1", "start_time"),
        ("start_time=2026-01-01", "start_time"),
        ("start_time=2026-01-01T00:00:00", "start_time"),
        ("nme=x", "nme"),
    ],
)
def test_a_query_that_does_not_fit_names_the_parameter(query: str, option: str) -> None:
    assert refused(query).problem.option == option
    assert refused(query).problem.status == 400


def test_an_unknown_parameter_is_told_which_there_are() -> None:
    assert "workflow_id_prefix" in (refused("idd=1").problem.hint or "")


def test_a_header_is_utf_8() -> None:
    assert reading.header_of(request(idempotency_key="ü☃"), "Idempotency-Key", str) == "ü☃"
    scope = {"type": "http", "headers": [(b"idempotency-key", b"\xff")]}
    with pytest.raises(Refused, match="not UTF-8"):
        reading.header_of(Request(scope), "Idempotency-Key", str)
    assert reading.header_of(Request({"type": "http", "headers": []}), "Idempotency-Key", str) is None


def test_a_query_that_is_not_utf_8_is_refused() -> None:
    assert "UTF-8" in refused("name=%ff").problem.detail


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b"NaN", "not JSON"),
        (b'{"args": [1e400]}', "Number out of range"),
        (b'{"args": ' + b"[" * 100_000, "nested too deeply"),
        (b'"\xff"', "does not fit"),
        (b'{"workflow_name": "\xff"}', "not UTF-8"),
        (b'{"workflow_name": "\\ud800"}', "not JSON"),
        (b'{"workflow_name": "a"}', "missing required field `queue_name`"),
        (b'{"workflow_name": "a", "queue_name": "b", "argz": 1}', "unknown field `argz`"),
        (b'{"workflow_name": 1, "queue_name": "b"}', "at workflow_name"),
        (b'{"workflow_name": "a", "queue_name": "b", "priority": 1.5}', "at priority"),
        (b'{"workflow_name": "a", "queue_name": "b", "priority": "1"}', "at priority"),
        (b"", "which is missing"),
    ],
)
def test_a_body_that_does_not_fit_says_why(body: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        reading.body_of(body, Work)


def test_three_point_nothing_is_three() -> None:
    body = b'[{"workflow_name": "a", "queue_name": "b", "priority": 3.0, "args": [1.0]}]'
    (work,) = reading.body_of(body, Works)
    assert (work.priority, work.args) == (3, [1.0])
    assert isinstance(work.args[0], float)
    assert reading.body_of(b'{"start_step": 4.0}', From).start_step == 4


def test_a_line_that_does_not_fit_is_named() -> None:
    text = b'{"workflow_name": "a", "queue_name": "b"}\n\n{"workflow_name": "a"}\n'
    with pytest.raises(Refused, match="line 3 of the body"):
        reading.lines_of(text, Works)
    assert len(reading.lines_of(text.split(b"\n")[0], Works)) == 1


def test_a_body_of_another_type_is_refused() -> None:
    for headers in (
        {},
        {"content_type": "text/plain"},
        {"content_type": "application/json; charset=latin-1"},
    ):
        with pytest.raises(Refused, match="is not taken here") as caught:
            asyncio.run(reading.text_of(request(body=b"{}", **headers), reading.JSON))
        assert caught.value.problem.status == 415


def test_a_body_that_is_too_large_is_refused_however_it_comes() -> None:
    large = request(body=b"x" * (reading.LARGEST_BODY + 1), content_type="application/json")
    with pytest.raises(Refused) as caught:
        asyncio.run(reading.text_of(large, reading.JSON))
    assert caught.value.problem.status == 413
