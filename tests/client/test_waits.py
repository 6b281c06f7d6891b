"""Results, events, messages: what a client waits for and what it sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from durably import DBOSClient, EnqueueOptions, Message, errors
from tests.client.conftest import NewId, Rows
from tests.interop.conftest import open_client

OPTIONS = EnqueueOptions(workflow_name="w", queue_name="q")


@contextmanager
def within(seconds: float, *, least: float = 0.0) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert least <= time.monotonic() - started < seconds


class Declined(Exception):
    def __init__(self, message: str) -> None:
        super().__init__(message)


# --- results -----------------------------------------------------------------------------------------------


def test_a_result_that_is_there(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    rows.end(handle.workflow_id, output='{"a":[1,null]}')
    with within(5):
        assert handle.get_result() == {"a": [1, None]}
        assert handle.get_result(timeout=0) == {"a": [1, None]}
        assert handle.get_result(timeout=timedelta(seconds=5)) == {"a": [1, None]}


def test_a_result_that_comes_without_notice(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(handle.get_result, timeout=20)
        rows.end(handle.workflow_id, output="7")
        assert waiting.result(20) == 7


def test_a_result_in_the_columns_of_old_rows(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    rows.become(handle.workflow_id, "SUCCESS", output="[1]", serialization=None)
    assert handle.get_result(timeout=10) == [1]
    assert handle.get_status().output == [1]


def test_success_without_output_is_none(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    rows.become(handle.workflow_id, "SUCCESS")
    assert handle.get_result(timeout=10) is None


def test_an_error_is_raised(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    rows.end(handle.workflow_id, "ERROR", error='{"name":"SoldOut","message":"no","code":4,"data":{"n":1}}')
    with pytest.raises(errors.WorkflowFailed, match="SoldOut: no") as caught:
        handle.get_result(timeout=10)
    error = caught.value
    assert (error.name, error.message, error.code, error.data) == ("SoldOut", "no", 4, {"n": 1})
    assert error.workflow_id == handle.workflow_id


def test_an_error_of_a_known_class(system_url: str, rows: Rows) -> None:
    for colour in ("sync", "async"):
        with open_client(colour, system_database_url=system_url, errors=[Declined]) as client:
            handle = client.enqueue(OPTIONS)
            rows.end(
                handle.workflow_id, "ERROR", error='{"name":"Declined","message":"no funds","code":null}'
            )
            with pytest.raises(Declined, match="no funds"):
                handle.get_result(timeout=10)


def test_an_error_that_says_nothing(client: DBOSClient, rows: Rows) -> None:
    nothing, empty = client.enqueue(OPTIONS), client.enqueue(OPTIONS)
    rows.become(nothing.workflow_id, "ERROR")
    rows.end(empty.workflow_id, "ERROR", error="{}")
    for handle in (nothing, empty):
        with pytest.raises(errors.WorkflowFailed):
            handle.get_result(timeout=10)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("CANCELLED", errors.WorkflowCancelled),
        ("MAX_RECOVERY_ATTEMPTS_EXCEEDED", errors.RecoveryAttemptsExceeded),
    ],
)
def test_other_ends(client: DBOSClient, rows: Rows, status: str, error: type[Exception]) -> None:
    handle = client.enqueue(OPTIONS)
    rows.become(handle.workflow_id, status)
    with pytest.raises(error, match=handle.workflow_id):
        handle.get_result(timeout=10)


@pytest.mark.parametrize(
    ("name", "text"), [("py_pickle", "gARLBy4="), ("DBOS_JSON", "?"), ("portable_json", "{")]
)
def test_a_result_that_cannot_be_read_here(client: DBOSClient, rows: Rows, name: str, text: str) -> None:
    handle = client.enqueue(OPTIONS)
    rows.end(handle.workflow_id, output=text)
    rows.become(handle.workflow_id, "SUCCESS", serialization=name)
    with pytest.raises(errors.DecodeError):
        handle.get_result(timeout=10)
    assert handle.get_status().output == text


def test_a_wait_that_is_over(client: DBOSClient) -> None:
    handle = client.enqueue(OPTIONS)
    for timeout in (0, 0.05, 0.7):
        with within(timeout + 3, least=timeout * 0.9), pytest.raises(errors.WorkflowTimeout):
            handle.get_result(timeout=timeout)
    with pytest.raises(errors.InvalidOption, match="timeout"):
        handle.get_result(timeout=float("nan"))


@pytest.mark.parametrize("timeout", [None, 0, 0.1, 30])
def test_the_result_of_nobody(client: DBOSClient, new_id: NewId, timeout: float | None) -> None:
    with within(3), pytest.raises(errors.NoSuchWorkflow):
        client.retrieve_workflow(new_id()).get_result(timeout=timeout)


def test_a_workflow_that_is_yet_to_come(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    with within(5, least=0.8), pytest.raises(errors.WorkflowTimeout):
        client.retrieve_workflow(wid).get_result(timeout=0.9, missing_ok=True)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.retrieve_workflow(wid).get_result, timeout=20)
        client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q", workflow_id=wid))
        rows.end(wid, output="1")
        assert waiting.result(20) == 1


def test_the_status_of_nobody(client: DBOSClient, new_id: NewId) -> None:
    wid = new_id()
    with pytest.raises(errors.NoSuchWorkflow, match=wid):
        client.retrieve_workflow(wid).get_status()
    with pytest.raises(errors.NoSuchWorkflow):
        client.get_workflow(wid)


@pytest.mark.parametrize("wid", ["", " ", "a\0b", "\ud800", "x" * 2001, None])
def test_ids_that_cannot_exist(blocking: DBOSClient, wid: Any) -> None:
    for call in (blocking.retrieve_workflow, blocking.get_workflow, blocking.list_workflow_steps):
        with pytest.raises(errors.InvalidOption, match="workflow_id"):
            call(wid)


# --- several -----------------------------------------------------------------------------------------------


def test_the_first_of_several(client: DBOSClient, rows: Rows) -> None:
    handles = client.enqueue_many([(OPTIONS, (n,)) for n in range(5)])
    raw = [getattr(handle, "_subject", handle) for handle in handles]
    rows.become(handles[3].workflow_id, "CANCELLED")
    assert client.wait_first(raw, timeout=10).workflow_id == handles[3].workflow_id
    with pytest.raises(errors.WorkflowTimeout):
        client.wait_first(raw[:2], timeout=0.2)
    with pytest.raises(errors.InvalidOption, match="none"):
        client.wait_first([])


def test_all_of_several(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    handles = client.enqueue_many([(OPTIONS, (n,)) for n in range(5)])
    raw = [getattr(handle, "_subject", handle) for handle in handles]
    for handle in handles[1:]:
        rows.end(handle.workflow_id, output="1")
    with pytest.raises(errors.WorkflowTimeout, match=handles[0].workflow_id):
        client.wait_all(raw, timeout=0.5)
    rows.end(handles[0].workflow_id, output="1")
    waited = client.wait_all(raw, timeout=10)
    assert [handle.workflow_id for handle in waited] == [handle.workflow_id for handle in handles]
    assert client.wait_all([]) == []
    nobody = client.retrieve_workflow(new_id())
    with within(5), pytest.raises(errors.NoSuchWorkflow):
        client.wait_all([getattr(nobody, "_subject", nobody), *raw], timeout=30)


def test_several_as_they_end(blocking: DBOSClient, rows: Rows) -> None:
    """In the order in which they end, each handle once, as often as it was given."""
    handles = blocking.enqueue_many([(OPTIONS, (n,)) for n in range(3)])
    first, second, third = (handles[n].workflow_id for n in (2, 0, 1))
    next_ = {0: second, 2: third}
    rows.become(first, "CANCELLED")
    ended: list[str] = []
    for handle in blocking.as_completed([*handles, handles[0]], timeout=10):
        if len(ended) in next_:
            rows.become(next_[len(ended)], "CANCELLED")
        ended.append(handle.workflow_id)
    assert ended == [first, second, second, third]


def test_several_as_they_end_or_do_not(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    handles = client.enqueue_many([(OPTIONS, (n,)) for n in range(3)])
    raw = [getattr(handle, "_subject", handle) for handle in handles]
    for handle in handles[1:]:
        rows.become(handle.workflow_id, "CANCELLED")
    assert {handle.workflow_id for handle in client.as_completed(raw[1:], timeout=10)} == {
        handle.workflow_id for handle in handles[1:]
    }
    assert list(client.as_completed([])) == []
    with pytest.raises(errors.WorkflowTimeout, match=handles[0].workflow_id):
        list(client.as_completed(raw, timeout=0.3))
    nobody = client.retrieve_workflow(new_id())
    with within(5), pytest.raises(errors.NoSuchWorkflow):
        list(client.as_completed([getattr(nobody, "_subject", nobody)], timeout=30))


def test_who_stops_early_watches_no_more(blocking: DBOSClient, rows: Rows) -> None:
    handles = blocking.enqueue_many([(OPTIONS, (n,)) for n in range(3)])
    rows.become(handles[1].workflow_id, "CANCELLED")
    for handle in blocking.as_completed(handles, timeout=10):
        assert handle.workflow_id == handles[1].workflow_id
        break
    open_ = blocking._async._session._open
    assert open_ is not None
    deadline = time.monotonic() + 5
    while open_.waits._futures and time.monotonic() < deadline:
        blocking.list_queues()  # a turn of the loop
    assert not open_.waits._futures


def test_a_thousand_waiters_are_one_query_and_one_listener(blocking: DBOSClient, rows: Rows) -> None:
    handles = blocking.enqueue_many([(OPTIONS, (n,)) for n in range(1000)])
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(blocking.wait_all, handles, 30)
        rows.run(
            "UPDATE dbos.workflow_status SET status = 'CANCELLED' WHERE workflow_uuid = ANY(%s)",
            [handle.workflow_id for handle in handles],
        )
        assert len(waiting.result(30)) == 1000
    found = rows.run(
        "SELECT 1 FROM pg_stat_activity "
        "WHERE application_name = 'durably-client' AND datname = current_database()"
    )
    assert len(found) <= 3 * 5  # pool_size and a listener, for each of the clients of this module


# --- events ------------------------------------------------------------------------------------------------


def test_an_event_that_is_there(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    rows.set_event(handle.workflow_id, "at", '"2025-05-01T00:00:00.000Z"')
    rows.set_event(handle.workflow_id, "none", "null")
    assert client.get_event(handle.workflow_id, "at") == "2025-05-01T00:00:00.000Z"
    assert client.get_event(handle.workflow_id, "at", 5, datetime) == datetime(2025, 5, 1, tzinfo=UTC)
    assert handle.get_event("at", timeout_seconds=0) == "2025-05-01T00:00:00.000Z"
    assert client.get_event(handle.workflow_id, "none", timeout_seconds=5) is None


def test_an_event_that_comes(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(OPTIONS)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.get_event, handle.workflow_id, "k", 20)
        rows.set_event(handle.workflow_id, "k", "1")
        assert waiting.result(20) == 1


def test_an_event_that_does_not_come(client: DBOSClient) -> None:
    handle = client.enqueue(OPTIONS)
    for timeout in (0, 0.1, 0.8):
        with within(timeout + 3, least=timeout * 0.9):
            assert client.get_event(handle.workflow_id, "never", timeout_seconds=timeout) is None


def test_an_event_of_nobody(client: DBOSClient, new_id: NewId) -> None:
    with within(3), pytest.raises(errors.NoSuchWorkflow):
        client.get_event(new_id(), "k")
    with within(3):
        assert client.get_event(new_id(), "k", timeout_seconds=0.1) is None
    with within(4, least=0.8):
        assert client.get_event(new_id(), "k", timeout_seconds=0.9, missing_ok=True) is None


@pytest.mark.parametrize("key", ["", "a\0", "\ud800", "x" * 2001, 7])
def test_event_keys_that_cannot_exist(blocking: DBOSClient, key: Any) -> None:
    with pytest.raises(errors.InvalidOption, match="key"):
        blocking.get_event("id", key)


# --- messages ----------------------------------------------------------------------------------------------


def test_the_row_of_a_message(client: DBOSClient, rows: Rows) -> None:
    wid = client.enqueue(OPTIONS).workflow_id
    client.send(wid, {"ok": True}, "approval", "key-1")
    client.send(wid, {"ok": False}, topic="approval", idempotency_key="key-1")
    client.retrieve_workflow(wid).send("plain", "approval", "key-1")
    (message,) = rows.messages(wid)
    assert message["message_uuid"] == f"key-1::{wid}"
    assert (message["topic"], message["message"]) == ("approval", '{"ok":true}')
    assert (message["serialization"], message["consumed"]) == ("portable_json", False)


def test_a_message_without_topic_and_key(client: DBOSClient, rows: Rows) -> None:
    wid = client.enqueue(OPTIONS).workflow_id
    client.send(wid, None)
    client.send(wid, None, serialization="js_superjson")
    assert {message["topic"] for message in rows.messages(wid)} == {"__null__topic__"}
    assert {message["serialization"] for message in rows.messages(wid)} == {"portable_json", "js_superjson"}


def test_a_message_to_nobody(client: DBOSClient, new_id: NewId) -> None:
    with pytest.raises(errors.NoSuchWorkflow, match="not sent"):
        client.send(new_id(), "x")


def test_many_messages_are_all_or_none(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    one, two = client.enqueue(OPTIONS).workflow_id, client.enqueue(OPTIONS).workflow_id
    client.send_many([Message(destination_id=wid, message=n) for n, wid in enumerate([one, two, two])])
    assert (len(rows.messages(one)), len(rows.messages(two))) == (1, 2)
    with pytest.raises(errors.NoSuchWorkflow):
        client.send_many(
            [Message(destination_id=one, message=1), Message(destination_id=new_id(), message=2)]
        )
    assert len(rows.messages(one)) == 1
    client.send_many([])


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("", 1), "destination_id"),
        (("id", 1, ""), "topic"),
        (("id", 1, "a\0"), "topic"),
        (("id", 1, "t", ""), "idempotency_key"),
        (("id", 1, "t", "x" * 256), "idempotency_key"),
    ],
)
def test_bad_messages(blocking: DBOSClient, arguments: Any, what: str) -> None:
    with pytest.raises(errors.InvalidOption, match=what):
        blocking.send(*arguments)


def test_a_message_that_cannot_be_stored(blocking: DBOSClient) -> None:
    with pytest.raises(errors.EncodeError, match="message"):
        blocking.send("id", object())
