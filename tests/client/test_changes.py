"""Deleting workflows, and giving them another delay, priority or attributes: rows, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from durably import DBOSClient, EnqueueOptions, WorkflowFilter, errors
from durably.core.names import STRANDED_UNTIL_MS
from tests.client.conftest import NewId, Rows

TABLES = {
    "dbos.workflow_status": "workflow_uuid",
    "dbos.workflow_input": "workflow_uuid",
    "dbos.workflow_output": "workflow_uuid",
    "dbos.operation_outputs": "workflow_uuid",
    "dbos.workflow_events": "workflow_uuid",
    "dbos.workflow_events_history": "workflow_uuid",
    "dbos.streams": "workflow_uuid",
    "dbos.notifications": "destination_uuid",
    "durably.workflow_limits": "workflow_uuid",
    "durably.stranded_workflows": "workflow_uuid",
    "durably.step_progress": "workflow_uuid",
    "durably.paused_workflows": "workflow_uuid",
    "durably.workflow_attempts": "workflow_uuid",
}
FILL = (
    "INSERT INTO dbos.workflow_output (workflow_uuid, output) VALUES (%s, '1')",
    "INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name) VALUES (%s, 1, 's')",
    "INSERT INTO dbos.workflow_events (workflow_uuid, key, value) VALUES (%s, 'k', '1')",
    "INSERT INTO dbos.workflow_events_history VALUES (%s, 1, 'k', '1')",
    """INSERT INTO dbos.streams (workflow_uuid, key, value, "offset", function_id)
    VALUES (%s, 'k', '1', 0, 1)""",
    "INSERT INTO dbos.notifications (destination_uuid, topic, message) VALUES (%s, 't', '1')",
    "INSERT INTO durably.stranded_workflows VALUES (%s, 'a', 1, 'x', 'y', 'z', 'c', true, '{c}', 'e')",
    "INSERT INTO durably.workflow_attempts VALUES (%s, 'x', 1, 'e', now())",
    "INSERT INTO durably.step_progress VALUES (%s, 1, '1', 'portable_json', now())",
)


def waiting(client: DBOSClient, **options: Any) -> str:
    return client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q", **options)).workflow_id


def full(client: DBOSClient, rows: Rows) -> str:
    """A workflow with a row in every table."""
    wid = waiting(client, max_recovery_attempts=3)
    for statement in FILL:
        rows.run(statement, wid)
    client.pause_workflow(wid)
    assert all(tables(rows, wid).values())
    return wid


def tables(rows: Rows, wid: str) -> dict[str, int]:
    return {
        table: rows.run(f"SELECT count(*) AS n FROM {table} WHERE {column} = %s", wid)[0]["n"]
        for table, column in TABLES.items()
    }


def family(client: DBOSClient, rows: Rows) -> list[str]:
    """A parent, its child, and that one's child."""
    made = [waiting(client) for _ in range(3)]
    for parent, child in pairwise(made):
        rows.run(
            "UPDATE dbos.workflow_status SET parent_workflow_id = %s WHERE workflow_uuid = %s", parent, child
        )
    return made


# -- delete ------------------------------------------------------------------------------------------------


def test_a_deleted_workflow_leaves_no_row_in_any_table(client: DBOSClient, rows: Rows) -> None:
    wid, other = full(client, rows), full(client, rows)
    assert client.delete_workflow(wid) is True
    assert not any(tables(rows, wid).values())
    assert all(tables(rows, other).values())
    assert client.delete_workflow(wid) is False
    with pytest.raises(errors.NoSuchWorkflow):
        client.get_workflow(wid)
    assert client.delete_workflows([wid, other]) == [other]


@pytest.mark.parametrize("status", ["ENQUEUED", "DELAYED", "PENDING", "SUCCESS", "ERROR", "CANCELLED"])
def test_a_workflow_is_deleted_in_whatever_status(client: DBOSClient, rows: Rows, status: str) -> None:
    wid = waiting(client)
    rows.become(wid, status)
    assert client.delete_workflow(wid)
    assert not any(tables(rows, wid).values())


def test_children_are_deleted_where_asked(client: DBOSClient, rows: Rows) -> None:
    parent, child, grandchild = family(client, rows)
    assert client.delete_workflow(parent)
    assert client.get_workflow(child).parent_workflow_id == parent
    would = client.delete_workflows([child], delete_children=True, dry_run=True)
    assert sorted(would) == sorted([child, grandchild])
    assert sorted(client.delete_workflows([child], delete_children=True)) == sorted([child, grandchild])
    assert not any(tables(rows, grandchild).values())


def test_a_filter_deletes_what_has_ended_unless_it_names_a_status(
    client: DBOSClient, rows: Rows, new_id: NewId
) -> None:
    queue = new_id("queue")
    made = {}
    for status in ("SUCCESS", "ERROR", "CANCELLED", "ENQUEUED", "PENDING"):
        made[status] = client.enqueue(EnqueueOptions(workflow_name="w", queue_name=queue)).workflow_id
        rows.become(made[status], status)
    ended = {made["SUCCESS"], made["ERROR"], made["CANCELLED"]}
    on_queue = WorkflowFilter(queue_name=queue)
    assert set(client.delete_workflows(on_queue, dry_run=True)) == ended
    assert client.count_workflows(on_queue) == 5
    some = WorkflowFilter(queue_name=queue, limit=1)
    assert set(client.delete_workflows(some)) < ended
    assert set(client.delete_workflows(on_queue)) < ended
    running = WorkflowFilter(queue_name=queue, status="PENDING")
    assert client.delete_workflows(running) == [made["PENDING"]]
    assert [each.workflow_id for each in client.list_workflows(on_queue)] == [made["ENQUEUED"]]


def test_an_id_may_be_used_again_once_it_is_deleted(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    waiting(client, workflow_id=wid, max_recovery_attempts=3)
    client.delete_workflow(wid)
    waiting(client, workflow_id=wid)
    assert tables(rows, wid)["durably.workflow_limits"] == 0


def test_a_database_that_only_dbos_has_used_can_delete(
    system_url: str, client: DBOSClient, rows: Rows
) -> None:
    wid = waiting(client)
    rows.run("ALTER SCHEMA durably RENAME TO hidden")
    try:
        with DBOSClient.create(system_database_url=system_url) as bare:
            assert bare.delete_workflow(wid)
    finally:
        rows.run("ALTER SCHEMA hidden RENAME TO durably")


# -- cancel and resume by filter ---------------------------------------------------------------------------


def test_a_filter_is_cancelled_and_resumed(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    name = new_id("name")
    made = [client.enqueue(EnqueueOptions(workflow_name=name, queue_name="q")).workflow_id for _ in range(4)]
    rows.end(made[3])
    every = WorkflowFilter(name=name)
    assert set(client.cancel_workflows(every, dry_run=True)) == set(made[:3])
    assert client.count_workflows(WorkflowFilter(name=name, status="CANCELLED")) == 0
    assert set(client.cancel_workflows(every)) == set(made[:3])
    assert client.cancel_workflows(every) == []
    assert client.cancel_workflows(WorkflowFilter(name=name, status="SUCCESS")) == []
    would = client.resume_workflows(every, dry_run=True)
    assert {handle.workflow_id for handle in would} == set(made[:3])
    assert {rows.workflow(wid)["status"] for wid in made[:3]} == {"CANCELLED"}
    resumed = client.resume_workflows(every, queue_name="r")
    assert {handle.workflow_id for handle in resumed} == set(made[:3])
    assert {rows.workflow(wid)["queue_name"] for wid in made[:3]} == {"r"}
    assert client.resume_workflows(every) == []  # they wait by now, and the filter named no status
    again = client.resume_workflows(WorkflowFilter(name=name, status="ENQUEUED"))
    assert {handle.workflow_id for handle in again} == set(made[:3])
    client.cancel_workflows(every)


def test_what_would_be_cancelled_names_children(client: DBOSClient, rows: Rows) -> None:
    parent, child, grandchild = family(client, rows)
    rows.end(child)
    assert client.cancel_workflows([parent], dry_run=True) == [parent]
    both = sorted([parent, grandchild])
    ours = WorkflowFilter(workflow_ids=[parent])
    assert sorted(client.cancel_workflows([parent], cancel_children=True, dry_run=True)) == both
    assert sorted(client.cancel_workflows(ours, cancel_children=True, dry_run=True)) == both
    assert rows.workflow(parent)["status"] == "ENQUEUED"
    assert sorted(client.cancel_workflows(ours, cancel_children=True)) == both


def test_what_left_the_status_of_a_filter_meanwhile_is_left_alone(
    client: DBOSClient, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status is looked at again, under the row's lock."""
    from durably.store import workflows

    wid = waiting(client)
    find = workflows.ids

    async def found_then_started(*arguments: Any) -> list[str]:
        found = await find(*arguments)
        rows.become(wid, "PENDING", owner_xid="x")
        return found

    monkeypatch.setattr(workflows, "ids", found_then_started)
    waits = WorkflowFilter(workflow_ids=[wid], status="ENQUEUED")
    for verb in (
        client.cancel_workflows,
        client.pause_workflows,
        client.resume_workflows,
        client.delete_workflows,
    ):
        rows.become(wid, "ENQUEUED", owner_xid=None)
        assert verb(waits) == []
        assert rows.workflow(wid)["status"] == "PENDING"
    rows.run("DELETE FROM dbos.workflow_status WHERE workflow_uuid = %s", wid)


def test_many_of_a_filter_are_done_in_batches(
    client: DBOSClient, rows: Rows, new_id: NewId, monkeypatch: pytest.MonkeyPatch
) -> None:
    from durably.client import _selection

    monkeypatch.setattr(_selection, "BATCH", 3)
    name = new_id("name")
    options = EnqueueOptions(workflow_name=name, queue_name="q")
    made = {client.enqueue(options).workflow_id for _ in range(8)}
    every = WorkflowFilter(name=name)
    assert set(client.pause_workflows(every)) == made
    assert set(client.unpause_workflows(every)) == made
    assert set(client.cancel_workflows(every)) == made
    assert (
        len(
            rows.run(
                "SELECT DISTINCT completed_at, xmin::text FROM dbos.workflow_status WHERE name = %s", name
            )
        )
        > 1
    )
    assert {handle.workflow_id for handle in client.resume_workflows(every)} == made
    assert set(client.delete_workflows(WorkflowFilter(name=name, status="ENQUEUED"))) == made


# -- delay, priority, attributes ---------------------------------------------------------------------------


def test_a_delayed_workflow_is_delayed_otherwise(client: DBOSClient, rows: Rows) -> None:
    wid = waiting(client, delay=60)
    before = rows.workflow(wid)
    (clock,) = rows.run("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now")
    assert client.set_workflow_delay(wid, delay=3600) is True
    after = rows.workflow(wid)
    assert 0 <= after["delay_until_epoch_ms"] - clock["now"] - 3_600_000 < 10_000
    same = {"updated_at": after["updated_at"], "delay_until_epoch_ms": after["delay_until_epoch_ms"]}
    assert after == {**before, **same}
    instant = datetime(2040, 1, 1, tzinfo=UTC)
    assert client.retrieve_workflow(wid).set_delay(delay_until=instant)
    assert rows.workflow(wid)["delay_until_epoch_ms"] == round(instant.timestamp() * 1000)
    client.delete_workflow(wid)


@pytest.mark.parametrize("status", ["ENQUEUED", "PENDING", "SUCCESS", "CANCELLED"])
def test_what_is_not_delayed_is_not_delayed_otherwise(client: DBOSClient, rows: Rows, status: str) -> None:
    wid = waiting(client)
    rows.become(wid, status)
    before = rows.workflow(wid)
    assert client.set_workflow_delay(wid, delay=1) is False
    assert rows.workflow(wid) == before
    client.delete_workflow(wid)


def test_a_paused_or_stranded_workflow_is_not_delayed_otherwise(client: DBOSClient, rows: Rows) -> None:
    wid = waiting(client, delay=60)
    client.pause_workflow(wid)
    with pytest.raises(errors.WrongStatus) as refused:
        client.set_workflow_delay(wid, delay=1)
    assert str(refused.value) == (
        f"workflow {wid!r} cannot be delayed otherwise: it is DELAYED; it is paused: "
        "unpause_workflow lets it go on, with the delay that it had"
    )
    rows.become(wid, "DELAYED", delay_until_epoch_ms=STRANDED_UNTIL_MS)
    with pytest.raises(errors.WrongStatus) as refused:
        client.set_workflow_delay(wid, delay=1)
    assert str(refused.value).endswith(
        "it is stranded: move_workflows, or a worker whose code fits, lets it go on"
    )
    client.delete_workflow(wid)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "give either delay, in seconds, or delay_until, a datetime"),
        ({"delay": 1, "delay_until": datetime(2040, 1, 1, tzinfo=UTC)}, "give either delay"),
        ({"delay": -1}, "delay=-1: it must be 0 or more"),
        ({"delay_until": datetime(2040, 1, 1)}, "naive datetime"),
    ],
)
def test_a_delay_that_is_none_is_refused(client: DBOSClient, options: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.InvalidOption, match=message):
        client.set_workflow_delay("w", **options)


@pytest.mark.parametrize(
    ("status", "changes"),
    [("ENQUEUED", True), ("DELAYED", True), ("PENDING", False), ("SUCCESS", False), ("CANCELLED", False)],
)
def test_a_priority_is_that_of_work_that_waits(
    client: DBOSClient, rows: Rows, status: str, changes: bool
) -> None:
    wid = waiting(client, priority=5)
    rows.become(wid, status)
    assert client.set_workflow_priority(wid, 0) is changes
    assert client.retrieve_workflow(wid).set_priority(2) is changes
    assert rows.workflow(wid)["priority"] == (2 if changes else 5)
    client.delete_workflow(wid)


@pytest.mark.parametrize("priority", [-1, 2**31, 1.5, True])
def test_a_priority_out_of_range_is_refused(client: DBOSClient, priority: Any) -> None:
    with pytest.raises(errors.InvalidOption, match="priority"):
        client.set_workflow_priority("w", priority)


@pytest.mark.parametrize("status", ["ENQUEUED", "SUCCESS"])
def test_attributes_are_replaced_or_merged(client: DBOSClient, rows: Rows, status: str) -> None:
    wid = waiting(client, attributes={"a": 1, "b": {"c": 2}})
    rows.become(wid, status)
    client.update_workflow_attributes(wid, {"b": 3, "d": 4}, merge=True)
    assert rows.workflow(wid)["attributes"] == {"a": 1, "b": 3, "d": 4}
    client.retrieve_workflow(wid).update_attributes({"e": 5})
    assert client.get_workflow(wid).attributes == {"e": 5}
    assert [each.workflow_id for each in client.list_workflows(WorkflowFilter(attributes={"e": 5}))] == [wid]
    client.update_workflow_attributes(wid, None)
    sort = "SELECT jsonb_typeof(attributes) AS sort FROM dbos.workflow_status WHERE workflow_uuid = %s"
    assert rows.run(sort, wid) == [{"sort": "null"}]
    assert client.get_workflow(wid).attributes is None
    client.update_workflow_attributes(wid, {"f": 6}, merge=True)
    assert rows.workflow(wid)["attributes"] == {"f": 6}
    client.delete_workflow(wid)


@pytest.mark.parametrize(
    ("attributes", "merge", "message"),
    [
        (None, True, "with merge=True give those that are to change"),
        ([1], False, "it must be a JSON object"),
        ({"a": "\0"}, False, "NUL"),
    ],
)
def test_attributes_that_are_none_are_refused(
    client: DBOSClient, attributes: Any, merge: bool, message: str
) -> None:
    with pytest.raises(errors.InvalidOption, match=message):
        client.update_workflow_attributes("w", attributes, merge=merge)


def test_what_does_not_exist_is_not_changed(client: DBOSClient, new_id: NewId) -> None:
    nobody = new_id()
    with pytest.raises(errors.NoSuchWorkflow, match=nobody):
        client.set_workflow_delay(nobody, delay=1)
    with pytest.raises(errors.NoSuchWorkflow, match=nobody):
        client.set_workflow_priority(nobody, 1)
    with pytest.raises(errors.NoSuchWorkflow, match=nobody):
        client.update_workflow_attributes(nobody, {})
