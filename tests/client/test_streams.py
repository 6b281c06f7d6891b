"""Streams and events as a client reads them, written here by SQL in place of an application."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from durably import DBOSClient, EnqueueOptions, errors
from tests.client.conftest import NewId, Rows

OPTIONS = EnqueueOptions(workflow_name="w", queue_name="q")
CLOSED = "__DBOS_STREAM_CLOSED__"


def write(rows: Rows, workflow_id: str, *values: Any, offset: int = 0, key: str = "k") -> None:
    for place, value in enumerate(values, offset):
        rows.run(
            'INSERT INTO dbos.streams (workflow_uuid, key, value, "offset", serialization)'
            " VALUES (%s, %s, %s, %s, 'portable_json')",
            workflow_id,
            key,
            json.dumps(value),
            place,
        )


def test_a_long_stream_is_read_in_pages(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    write(rows, handle.workflow_id, *range(250), CLOSED)
    assert list(handle.read_stream("k")) == list(range(250))
    assert list(handle.read_stream("k", offset=240)) == list(range(240, 250))


def test_values_that_come_without_a_notice(client: DBOSClient, rows: Rows) -> None:
    """A DBOS executor that dies before it notifies: the shared query sees them, and the end."""
    handle = client.enqueue(OPTIONS)
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(lambda: list(client.read_stream(handle.workflow_id, "k", timeout=20)))
        write(rows, handle.workflow_id, "a")
        write(rows, handle.workflow_id, "b", offset=1)
        rows.end(handle.workflow_id, output="1")
        assert reading.result(20) == ["a", "b"]


def test_a_gap_is_where_a_stream_waits(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    write(rows, handle.workflow_id, "a")
    write(rows, handle.workflow_id, "c", offset=2)
    with pytest.raises(errors.StreamTimeout, match="no value came on stream 'k' of workflow"):
        list(handle.read_stream("k", timeout=0.2))


def test_values_are_decoded_to_a_type(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    write(rows, handle.workflow_id, "2026-05-01T00:00:00Z", CLOSED)
    [instant] = handle.read_stream("k", type_=datetime)
    assert instant.year == 2026


def test_a_stream_of_nobody(client: DBOSClient, new_id: NewId) -> None:
    with pytest.raises(errors.NoSuchWorkflow):
        list(client.read_stream(new_id("nobody"), "k"))
    with pytest.raises(errors.NoSuchWorkflow):
        client.read_stream_offset(new_id("nobody"), "k", 0)
    assert client.list_workflow_streams(new_id("nobody")) == {}
    assert client.get_all_events(new_id("nobody")) == {}


def test_a_stream_that_ended_without_the_offset(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    rows.end(handle.workflow_id, output="1")
    assert list(handle.read_stream("k")) == []
    with pytest.raises(errors.StreamEnded, match="ended before offset 5: it was closed"):
        client.read_stream_offset(handle.workflow_id, "k", 5)


def test_bad_options_of_a_stream(client: DBOSClient) -> None:
    with pytest.raises(errors.InvalidOption, match="offset"):
        list(client.read_stream("w", "k", offset=-1))
    with pytest.raises(errors.InvalidOption, match="timeout"):
        list(client.read_stream("w", "k", timeout=-1))
    with pytest.raises(errors.InvalidOption, match="key"):
        list(client.read_stream("w", ""))


def test_streams_are_listed_by_key(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    write(rows, handle.workflow_id, 1, 2, CLOSED, key="a")
    write(rows, handle.workflow_id, {"n": 1}, key="b")
    assert client.list_workflow_streams(handle.workflow_id) == {"a": [1, 2], "b": [{"n": 1}]}


def test_without_a_wait_what_is_there_is_read(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    write(rows, handle.workflow_id, 1, 2)
    assert client.read_stream_offset(handle.workflow_id, "k", 0, timeout=0) == 1
    with pytest.raises(errors.StreamTimeout, match="within 0 s"):
        client.read_stream_offset(handle.workflow_id, "k", 2, timeout=0)
    write(rows, handle.workflow_id, CLOSED, offset=2)
    assert list(client.read_stream(handle.workflow_id, "k", timeout=0)) == [1, 2]
