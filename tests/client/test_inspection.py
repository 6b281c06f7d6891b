"""One workflow looked at in pages and pieces: payloads, steps, family, messages, events, streams."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from durably import DBOSClient, EnqueueOptions, errors
from tests.client.conftest import NewId, Rows
from tests.support.databases import Databases


@pytest.fixture
def order(blocking: DBOSClient, new_id: NewId) -> str:
    wid = new_id("order")
    blocking.enqueue(EnqueueOptions(workflow_name="buy", queue_name="q", workflow_id=wid), "a1", seats=2)
    return wid


def record(rows: Rows, wid: str, number: int, **columns: Any) -> None:
    names = "".join(f", {name}" for name in columns)
    marks = ", %s" * len(columns)
    rows.run(
        f"INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name{names}) "
        f"VALUES (%s, %s, 'step'{marks})",
        wid,
        number,
        *columns.values(),
    )


def test_payloads_are_decoded_where_they_are_whole(client: DBOSClient, order: str) -> None:
    found = client.get_workflow_payloads(order)
    assert found.input is not None
    assert found.input.value == {"args": ("a1",), "kwargs": {"seats": 2}}
    assert found.input.size == len(found.input.text.encode())
    assert (found.output, found.error) == (None, None)


def test_a_payload_is_cut_to_what_was_asked_for(client: DBOSClient, rows: Rows, order: str) -> None:
    text = '"' + "ü" * 3_000_000 + '"'
    rows.end(order, output=text)
    found = client.get_workflow_payloads(order, most=100).output
    assert found is not None
    assert found.is_cut
    assert (found.text, found.value, found.size) == (text[:100], None, 6_000_002)
    whole = client.get_workflow_payloads(order).output
    assert whole is not None
    assert (whole.text, whole.value) == (text, text[1:-1])


def test_a_payload_that_cannot_be_read_here_says_why(client: DBOSClient, rows: Rows, order: str) -> None:
    rows.end(order, output="gASVBQAAAAAAAACMAWGULg==")
    rows.become(order, "SUCCESS", serialization="py_pickle")
    found = client.get_workflow_payloads(order).output
    assert found is not None
    assert found.value is None
    assert "allow_serializations=['py_pickle']" in str(found.unreadable)


def test_payloads_of_nothing_are_refused(client: DBOSClient) -> None:
    with pytest.raises(errors.NoSuchWorkflow):
        client.get_workflow_payloads("nobody")


def test_a_workflow_is_shown_without_its_payloads(client: DBOSClient, rows: Rows, order: str) -> None:
    rows.end(order, output="1")
    bare = client.get_workflow(order, load_input=False, load_output=False)
    assert (bare.input, bare.output, bare.name) == (None, None, "buy")
    assert client.get_workflow(order).output == 1


def test_steps_come_in_pages_with_their_children(client: DBOSClient, rows: Rows, order: str) -> None:
    for number in range(5):
        record(rows, order, number, output=str(number), serialization="portable_json")
    record(rows, order, 5, child_workflow_id=order, output=f'"{order}"', serialization="portable_json")
    pages = [client.list_step_records(order, after=after, limit=3) for after in (-1, 2, 5)]
    assert [[step.function_id for step in page] for page in pages] == [[0, 1, 2], [3, 4, 5], []]
    assert pages[0][2].output is not None
    assert pages[0][2].output.value == 2
    child = pages[1][2]
    assert (child.child_name, child.child_status) == ("buy", "ENQUEUED")


def test_only_the_steps_that_failed(client: DBOSClient, rows: Rows, order: str) -> None:
    record(rows, order, 1, output="1", serialization="portable_json")
    record(rows, order, 2, error='{"name":"ValueError","message":"no"}', serialization="portable_json")
    (step,) = client.list_step_records(order, only_failed=True)
    assert step.function_id == 2
    assert step.error is not None
    assert repr(step.error.value) == "ValueError('no')"


def test_steps_in_numbers(client: DBOSClient, rows: Rows, order: str) -> None:
    for number in range(1, 11):
        failed = {"error": "{}"} if number == 4 else {"output": "1"}
        at = {"started_at_epoch_ms": number * 1000, "completed_at_epoch_ms": number * 1000 + 500}
        record(rows, order, number, **at, **failed)
    found = client.summarize_steps(order, bins=2)
    assert (found.steps, found.failed, found.first_id, found.last_id) == (10, 1, 1, 10)
    assert (found.started_at_epoch_ms, found.completed_at_epoch_ms) == (1000, 10_500)
    assert found.bins == ((0, 5, 1, 1), (1, 5, 0, 6))
    assert client.summarize_steps("nobody").steps == 0


def test_a_family_is_bounded(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    top, middle = new_id("top"), new_id("middle")
    ids = [top, middle, *(f"{middle}-{n}" for n in range(4))]
    for wid in ids:
        client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q", workflow_id=wid))
    rows.run("UPDATE dbos.workflow_status SET parent_workflow_id = %s WHERE workflow_uuid = %s", top, middle)
    rows.run(
        "UPDATE dbos.workflow_status SET parent_workflow_id = %s WHERE workflow_uuid = ANY(%s)",
        middle,
        ids[2:],
    )
    found = client.list_workflow_family(middle)
    assert [(member.workflow_id, member.depth) for member in found[:2]] == [(top, -1), (middle, 0)]
    assert sorted(member.workflow_id for member in found[2:]) == ids[2:]
    assert len(client.list_workflow_family(middle, breadth=2)) == 4
    assert len(client.list_workflow_family(middle, limit=1)) == 3
    with pytest.raises(errors.NoSuchWorkflow):
        client.list_workflow_family("nobody")


def test_messages_the_newest_first(client: DBOSClient, order: str) -> None:
    for number in range(5):
        client.send(order, number, topic="t")
    newest = client.list_message_records(order, limit=2)
    assert [record.message.value for record in newest] == [4, 3]
    last = newest[-1]
    older = client.list_message_records(order, before=(last.created_at_epoch_ms, last.message_uuid))
    assert [record.message.value for record in older] == [2, 1, 0]


def test_events_say_which_value_they_have_now(client: DBOSClient, rows: Rows, order: str) -> None:
    for number, (key, value) in enumerate([("status", '"a"'), ("total", "1"), ("status", '"b"')]):
        rows.run(
            "INSERT INTO dbos.workflow_events_history VALUES (%s, %s, %s, %s, 'portable_json')",
            order,
            number,
            key,
            value,
        )
    found = client.list_event_records(order)
    assert [(event.key, event.value.value, event.is_latest) for event in found] == [
        ("status", "b", True), ("total", 1, True), ("status", "a", False),
    ]  # fmt: skip
    assert [event.function_id for event in client.list_event_records(order, before=2)] == [1, 0]


def test_streams_by_key_and_offset(client: DBOSClient, rows: Rows, order: str) -> None:
    values = [("log", 0, '"a"'), ("log", 1, '"b"'), ("log", 2, '"__DBOS_STREAM_CLOSED__"'), ("open", 0, "1")]
    for key, offset, value in values:
        rows.run(
            'INSERT INTO dbos.streams (workflow_uuid, key, "offset", value) VALUES (%s, %s, %s, %s)',
            order,
            key,
            offset,
            value,
        )
    keys = client.list_stream_keys(order)
    assert [(each.key, each.values, each.is_closed) for each in keys] == [
        ("log", 2, True),
        ("open", 1, False),
    ]
    assert [each.value.value for each in client.list_stream_records(order, "log", offset=1)] == ["b"]


def test_attempts_of_a_retry_are_known(client: DBOSClient, rows: Rows, order: str) -> None:
    rows.become(order, "PENDING", executor_id="e1", creator_xid="x")
    rows.run(
        "INSERT INTO durably.workflow_attempts VALUES (%s, 'x', 2, %s, now())",
        order,
        '{"name":"ValueError","message":"no"}',
    )
    found = client.get_workflow_attempts(order)
    assert found is not None
    assert (found.failed, found.executor_id, found.is_alive) == (2, "e1", False)
    assert found.error is not None
    assert repr(found.error.value) == "ValueError('no')"


def test_a_database_without_our_tables_is_read(databases: Databases) -> None:
    url = databases.migrated()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA durably CASCADE")
    with DBOSClient.create(system_database_url=url) as client:
        client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q", workflow_id="only"))
        assert client.get_workflow_attempts("only") is None
        assert len(client.list_workflow_family("only")) == 1
        assert client.explain("only").reason == "unregistered_queue"
        with pytest.raises(errors.DatabaseError, match="durably db migrate"):
            client.pause_workflow("only")
    databases.drop(url)
