"""Forks and rewinds: which rows are copied, cut and edited, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from durably import Arguments, DBOSClient, EnqueueOptions, declare_workflow, errors
from tests.client.conftest import NewId, Rows

OPTIONS = EnqueueOptions(
    workflow_name="w", queue_name="q", workflow_class_name="C", authenticated_user="ada", attributes={"k": 1}
)
OPERATIONS = "SELECT * FROM dbos.operation_outputs WHERE workflow_uuid = %s ORDER BY function_id"
EVENTS = "SELECT key, value FROM dbos.workflow_events WHERE workflow_uuid = %s ORDER BY key"
HISTORY = (
    "SELECT function_id, key, value FROM dbos.workflow_events_history WHERE workflow_uuid = %s ORDER BY 1, 2"
)
STREAMS = 'SELECT key, value, "offset", function_id FROM dbos.streams WHERE workflow_uuid = %s ORDER BY 1, 3'
CLOSED = '"__DBOS_STREAM_CLOSED__"'


def made(client: DBOSClient, rows: Rows, *, status: str = "ERROR", first: int = 1) -> str:
    """A workflow of five operations, the fourth of which failed, with events, a stream and messages."""
    wid = client.enqueue(OPTIONS, "a", 1).workflow_id
    for number, (name, output, error, child) in enumerate(
        [("s1", "1", None, None), ("child", None, None, "kid"), ("DBOS.getResult", "2", None, "kid"),
         ("s4", None, '{"name":"ValueError","message":"boom"}', None), ("s5", "5", None, None)], start=first
    ):  # fmt: skip
        rows.run(
            "INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output, error, "
            "child_workflow_id, serialization, started_at_epoch_ms, completed_at_epoch_ms, application_name) "
            "VALUES (%s, %s, %s, %s, %s, %s, 'portable_json', 10, 20, 'app')",
            wid, number, name, output, error, child,
        )  # fmt: skip
    for number, key, value in [(1, "a", "1"), (3, "a", "3"), (4, "a", "4"), (4, "b", "4"), (2, "c", "2")]:
        rows.run(
            "INSERT INTO dbos.workflow_events_history VALUES (%s, %s, %s, %s, 'portable_json')",
            wid, number, key, value,
        )  # fmt: skip
    for key, value in [("a", "4"), ("b", "4"), ("c", "2")]:
        rows.set_event(wid, key, value)
    for offset, (value, number) in enumerate([("1", 1), ("2", 3), (CLOSED, 4)]):
        rows.run(
            'INSERT INTO dbos.streams (workflow_uuid, key, value, "offset", function_id) '
            "VALUES (%s, 's', %s, %s, %s)",
            wid, value, offset, number,
        )  # fmt: skip
    for taken_by, consumed in [(1, True), (4, True), (None, False)]:
        rows.run(
            "INSERT INTO dbos.notifications (destination_uuid, topic, message, consumed, "
            "consumed_by_function_id) VALUES (%s, 't', %s, %s, %s)",
            wid, f"{taken_by}", consumed, taken_by,
        )  # fmt: skip
    rows.end(wid, status, error='{"name":"ValueError","message":"boom"}')
    rows.become(wid, status, application_name="app", recovery_attempts=7, completed_at=5, priority=3)
    return wid


def numbers(rows: Rows, wid: str) -> list[int]:
    return [row["function_id"] for row in rows.run(OPERATIONS, wid)]


def plain(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in found]


# -- fork --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["ENQUEUED", "PENDING", "SUCCESS", "ERROR", "CANCELLED"])
def test_a_fork_is_a_new_workflow_of_the_same_kind(client: DBOSClient, rows: Rows, status: str) -> None:
    wid = made(client, rows, status=status)
    before = rows.workflow(wid)
    fork = client.fork_workflow(wid, queue_name="r", timeout=60, app_version="v2", queue_partition_key="p")
    row = rows.workflow(fork.workflow_id)
    kept = ("name", "class_name", "authenticated_user", "serialization", "attributes", "application_name")
    assert {name: row[name] for name in kept} == {name: before[name] for name in kept}
    assert {name: row[name] for name in ("status", "queue_name", "forked_from", "priority", "owner_xid")} == {
        "status": "ENQUEUED", "queue_name": "r", "forked_from": wid, "priority": 0, "owner_xid": None,
    }  # fmt: skip
    assert (row["workflow_timeout_ms"], row["application_version"]) == (60_000, "v2")
    assert (row["queue_partition_key"], row["recovery_attempts"]) == ("p", 0)
    assert rows.inputs(fork.workflow_id) == rows.inputs(wid)
    assert rows.workflow(wid) == {**before, "was_forked_from": True}
    assert numbers(rows, fork.workflow_id) == []
    assert fork.get_status().forked_from == wid


def test_a_fork_keeps_what_was_recorded_before_its_start(client: DBOSClient, rows: Rows) -> None:
    wid = made(client, rows)
    fork = client.fork_workflow(wid, 4, replacement_children={"kid": "other"}).workflow_id
    assert rows.workflow(fork)["queue_name"] == "_dbos_internal_queue"
    originals, copies = rows.run(OPERATIONS, wid)[:3], rows.run(OPERATIONS, fork)
    own = {"workflow_uuid": fork, "retention_timestamp": copies[0]["retention_timestamp"]}
    assert copies == [
        {**row, **own, "child_workflow_id": "other" if row["child_workflow_id"] else None}
        for row in originals
    ]
    assert plain(rows.run(EVENTS, fork)) == [("a", "3"), ("c", "2")]
    assert plain(rows.run(HISTORY, fork)) == [(1, "a", "1"), (2, "c", "2"), (3, "a", "3")]
    assert plain(rows.run(STREAMS, fork)) == [("s", "1", 0, 1), ("s", "2", 1, 3)]
    assert rows.messages(fork) == []


@pytest.mark.parametrize(
    ("first", "start", "kept"), [(1, 1, []), (0, 0, []), (0, 1, [0]), (1, 6, [1, 2, 3, 4, 5])]
)
def test_operations_count_from_1_and_those_of_typescript_from_0(
    client: DBOSClient, rows: Rows, first: int, start: int, kept: list[int]
) -> None:
    wid = made(client, rows, first=first)
    assert numbers(rows, client.fork_workflow(wid, start).workflow_id) == kept
    assert numbers(rows, client.fork_workflow(wid).workflow_id) == []


def test_a_fork_from_the_failure(client: DBOSClient, rows: Rows) -> None:
    wid = made(client, rows)
    assert numbers(rows, client.fork_workflow(wid, "failure").workflow_id) == [1, 2, 3]
    rows.run(
        "UPDATE dbos.operation_outputs SET error = 'x' WHERE workflow_uuid = %s AND function_id = 5", wid
    )
    assert numbers(rows, client.fork_workflow(wid, "failure").workflow_id) == [1, 2, 3]  # this one ended it
    rows.run("UPDATE dbos.workflow_output SET error = 'other' WHERE workflow_uuid = %s", wid)
    assert numbers(rows, client.fork_workflow(wid, "failure").workflow_id) == [1, 2, 3, 4]
    rows.run("UPDATE dbos.operation_outputs SET error = NULL, output = '0' WHERE workflow_uuid = %s", wid)
    assert numbers(rows, client.fork_workflow(wid, "failure").workflow_id) == [1, 2, 3, 4, 5]
    empty = client.enqueue(OPTIONS).workflow_id
    assert numbers(rows, client.fork_workflow(empty, "failure").workflow_id) == []


def test_an_edited_fork_says_so(client: DBOSClient, rows: Rows) -> None:
    wid = made(client, rows)
    fork = client.fork_workflow(
        wid, 5, arguments=(["b"], {"n": 2}), outputs={1: {"x": [1]}, 4: KeyError("gone"), 3: 30}
    )
    status, steps = fork.get_status(), fork.steps()
    assert status.input == {"args": ("b",), "kwargs": {"n": 2}}
    assert status.attributes == {"k": 1, "durably.edited": {"input": True, "outputs": [1, 3, 4]}}
    assert [(s.function_id, s.output, s.edited) for s in steps] == [
        (1, {"x": [1]}, True), (2, None, False), (3, 30, True), (4, None, True),
    ]  # fmt: skip
    assert isinstance(steps[3].error, KeyError)
    again = client.fork_workflow(fork.workflow_id, 4, outputs={1: 7}).get_status()
    assert again.attributes == {"k": 1, "durably.edited": {"input": True, "outputs": [1, 3]}}
    from_the_beginning = client.fork_workflow(client.fork_workflow(wid, 2, outputs={1: 1}).workflow_id)
    assert from_the_beginning.get_status().attributes == {"k": 1}
    assert [step.edited for step in client.list_workflow_steps(wid)] == [False] * 5


@declare_workflow(name="w", class_name="C", queue_name="q")
def declared(when: datetime, count: int = 1) -> None: ...


def test_edited_arguments_have_the_format_of_the_original(client: DBOSClient, rows: Rows) -> None:
    wid, when = made(client, rows), datetime(2025, 5, 1, tzinfo=UTC)
    fork = client.fork_workflow(wid, arguments=declared.arguments(when, count=2)).workflow_id
    assert json.loads(rows.inputs(fork))["positionalArgs"] == ["2025-05-01T00:00:00.000Z", 2]
    rows.become(wid, "ERROR", serialization="js_superjson")
    fork = client.fork_workflow(wid, arguments=Arguments((when,))).workflow_id
    assert rows.workflow(fork)["serialization"] == "js_superjson"
    assert '"Date"' in rows.inputs(fork)
    rows.become(wid, "ERROR", serialization="py_pickle")
    fork = client.fork_workflow(wid, arguments=((1,), {})).workflow_id
    assert rows.workflow(fork)["serialization"] == "portable_json"
    with pytest.raises(errors.InvalidOption, match="does not take them"):
        declared.arguments(when, 1, 2)  # type: ignore[call-arg]


def test_the_same_id_again_is_the_same_fork(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid, fork = made(client, rows), new_id("fork")
    assert client.fork_workflow(wid, 3, new_workflow_id=fork).workflow_id == fork
    before = rows.workflow(fork)
    assert client.fork_workflow(wid, 3, new_workflow_id=fork).workflow_id == fork
    assert rows.workflow(fork) == before
    assert numbers(rows, fork) == [1, 2]
    other = client.enqueue(OPTIONS).workflow_id
    with pytest.raises(errors.WorkflowIdInUse, match=f"{other}.* already in use by 'w', which is ENQUEUED"):
        client.fork_workflow(wid, 3, new_workflow_id=other)


def test_many_are_forked_or_none(client: DBOSClient, rows: Rows) -> None:
    first, second = made(client, rows), made(client, rows)
    forks = client.fork_workflows([second, first], "failure")
    assert [rows.workflow(fork.workflow_id)["forked_from"] for fork in forks] == [second, first]
    assert [numbers(rows, fork.workflow_id) for fork in forks] == [[1, 2, 3]] * 2
    count = rows.count()
    with pytest.raises(errors.NoSuchWorkflow, match="nobody"):
        client.fork_workflows([first, "nobody"])
    assert rows.count() == count


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"start_step": 7}, errors.NoSuchStep, "no operation 7 to begin from: it has recorded 1 to 5, and with "
     "start_step=6 all of it is kept; without start_step it begins from the beginning"),
    ({"start_step": 0}, errors.NoSuchStep, "no operation 0 to begin from: it has recorded 1 to 5"),
    ({"start_step": -1}, errors.InvalidOption, "start_step=-1: it must be between 0"),
    ({"start_step": "last"}, errors.InvalidOption, "start_step='last': pass the number of an operation"),
    ({"start_step": True}, errors.InvalidOption, "start_step=True"),
    ({"start_step": 3, "outputs": {3: 1}}, errors.InvalidOption, "operation 3 has no recorded outcome that "
     "is kept: only one that is recorded before start_step=3 can be edited"),
    ({"start_step": 4, "outputs": {2: 1}}, errors.InvalidOption, "and not the start of a child"),
    ({"start_step": "failure", "outputs": {4: 1}}, errors.InvalidOption, "recorded before start_step=4"),
    ({"start_step": 4, "outputs": {0: 1}}, errors.InvalidOption, "operation 0 has no recorded outcome"),
    ({"outputs": {1: 1}}, errors.InvalidOption, "without start_step nothing recorded is kept"),
    ({"start_step": 2, "outputs": {"1": 1}}, errors.InvalidOption, "number of an operation: its value"),
    ({"start_step": 2, "outputs": {1: object()}}, errors.EncodeError, r"outputs\[1\] cannot be stored"),
    ({"arguments": [1]}, errors.InvalidOption, r"arguments=\[1\]: pass \(args, kwargs\)"),
    ({"queue_name": "_dbos_x"}, errors.InvalidOption, "queue_name"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error", "message"), REFUSED)
def test_what_cannot_be_begun_again(
    client: DBOSClient, rows: Rows, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    wid = made(client, rows)
    before, count = rows.workflow(wid), rows.count()
    for verb in (client.fork_workflow, client.rewind_workflow):
        with pytest.raises(error, match=message):
            verb(wid, **options)
    assert (rows.workflow(wid), rows.count(), len(numbers(rows, wid))) == (before, count, 5)


def test_what_only_a_fork_refuses(client: DBOSClient, rows: Rows) -> None:
    wid = made(client, rows)
    with pytest.raises(errors.InvalidOption, match="timeout=0"):
        client.fork_workflow(wid, timeout=0)
    with pytest.raises(errors.InvalidOption, match="replacement_children"):
        client.fork_workflow(wid, replacement_children=["a"])  # type: ignore[arg-type]
    for verb in (client.fork_workflow, client.rewind_workflow):
        with pytest.raises(errors.NoSuchWorkflow, match="nobody"):
            verb("nobody")
        with pytest.raises(errors.NoSuchWorkflow, match="nobody"):
            verb("nobody", arguments=((), {}))
    empty = client.enqueue(OPTIONS).workflow_id
    with pytest.raises(errors.NoSuchStep, match="no operation 2 to begin from: it has recorded none"):
        client.fork_workflow(empty, 2)


# -- rewind ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
def test_a_rewind_forgets_what_came_after(client: DBOSClient, rows: Rows, status: str) -> None:
    wid = made(client, rows, status=status)
    before = rows.workflow(wid)
    assert client.rewind_workflow(wid, 4, queue_name="r", queue_partition_key="p").workflow_id == wid
    after = rows.workflow(wid)
    assert after == {
        **before, "status": "ENQUEUED", "queue_name": "r", "queue_partition_key": "p", "recovery_attempts": 0,
        "completed_at": None, "updated_at": after["updated_at"], "creator_xid": after["creator_xid"],
    }  # fmt: skip
    assert numbers(rows, wid) == [1, 2, 3]
    assert plain(rows.run(EVENTS, wid)) == [("a", "3"), ("c", "2")]
    assert plain(rows.run(HISTORY, wid)) == [(1, "a", "1"), (2, "c", "2"), (3, "a", "3")]
    assert plain(rows.run(STREAMS, wid)) == [("s", "1", 0, 1), ("s", "2", 1, 3)]
    assert [message["message"] for message in rows.messages(wid)] == ["1"]
    assert rows.run("SELECT * FROM dbos.workflow_output WHERE workflow_uuid = %s", wid) == []


@pytest.mark.parametrize("first", [0, 1])
def test_a_rewind_to_the_beginning_keeps_nothing(client: DBOSClient, rows: Rows, first: int) -> None:
    wid = made(client, rows, first=first)
    client.rewind_workflow(wid, app_version="v3")
    assert numbers(rows, wid) == []
    assert rows.run(EVENTS, wid) == rows.run(HISTORY, wid) == []
    assert rows.messages(wid) == []
    row = rows.workflow(wid)
    assert (row["queue_name"], row["application_version"]) == ("_dbos_internal_queue", "v3")


def test_an_edited_rewind_says_so(client: DBOSClient, rows: Rows) -> None:
    wid = made(client, rows)
    handle = client.rewind_workflow(wid, "failure", arguments=((5,), {}), outputs={1: "one"})
    assert handle.get_status().attributes == {"k": 1, "durably.edited": {"input": True, "outputs": [1]}}
    assert handle.get_status().input == {"args": (5,), "kwargs": {}}
    assert [(s.output, s.edited) for s in handle.steps()] == [("one", True), (None, False), (2, False)]


@pytest.mark.parametrize("status", ["ENQUEUED", "DELAYED", "PENDING"])
def test_an_active_workflow_cannot_be_rewound(client: DBOSClient, rows: Rows, status: str) -> None:
    active, ended = made(client, rows, status=status), made(client, rows)
    before = rows.workflow(active), rows.workflow(ended)
    message = f"cannot be rewound: it is {status}; only one that has ended can be; cancel it first"
    with pytest.raises(errors.WrongStatus, match=message):
        client.retrieve_workflow(active).rewind()
    with pytest.raises(errors.WrongStatus, match=message):
        client.rewind_workflows([ended, active])
    assert (rows.workflow(active), rows.workflow(ended)) == before
    assert [handle.workflow_id for handle in client.rewind_workflows([ended])] == [ended]
