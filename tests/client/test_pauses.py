"""Pauses of workflows: which rows they make, what they restore, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from durably import DBOSClient, EnqueueOptions, WorkflowFilter, errors
from durably.core.names import PAUSED_UNTIL_MS, STRANDED_UNTIL_MS
from tests.client.conftest import NewId, Rows

OPTIONS = EnqueueOptions(workflow_name="w", queue_name="q")
NOTES = "SELECT * FROM durably.paused_workflows WHERE workflow_uuid = %s"
CHANGING = ("updated_at", "creator_xid")  # what a pause and an unpause change for good


def waiting(client: DBOSClient, **options: Any) -> str:
    return client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q", **options)).workflow_id


def lasting(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in CHANGING}


def test_a_paused_workflow_is_delayed_for_ever_and_belongs_to_nobody(client: DBOSClient, rows: Rows) -> None:
    wid = waiting(client, deduplication_id="only", priority=3)
    before = rows.workflow(wid)
    client.pause_workflow(wid, reason="the bank is closed", paused_by="ada")
    after = rows.workflow(wid)
    changed = {"status": "DELAYED", "delay_until_epoch_ms": PAUSED_UNTIL_MS}
    assert lasting(after) == {**lasting(before), **changed}
    (note,) = rows.run(NOTES, wid)
    assert (note["paused_by"], note["reason"], note["status"]) == ("ada", "the bank is closed", "ENQUEUED")
    assert client.unpause_workflow(wid) is True
    assert lasting(rows.workflow(wid)) == lasting(before)
    assert rows.run(NOTES, wid) == []
    client.cancel_workflow(wid)


@pytest.mark.parametrize(
    ("columns", "restored"),
    [
        ({"status": "ENQUEUED", "delay_until_epoch_ms": 17}, {}),
        ({"status": "DELAYED", "delay_until_epoch_ms": 4_000_000_000_000}, {}),
        ({"status": "DELAYED", "delay_until_epoch_ms": 17}, {}),
        ({"status": "DELAYED", "delay_until_epoch_ms": STRANDED_UNTIL_MS}, {}),
        ({"status": "PENDING", "owner_xid": "x", "recovery_attempts": 3, "started_at_epoch_ms": 5},
         {"status": "ENQUEUED", "owner_xid": None, "recovery_attempts": 2, "started_at_epoch_ms": None}),
        ({"status": "PENDING", "owner_xid": "x", "recovery_attempts": 1, "queue_name": None},
         {"status": "ENQUEUED", "owner_xid": None, "recovery_attempts": 0,
          "queue_name": "_dbos_internal_queue"}),
        ({"status": "PENDING", "owner_xid": None, "recovery_attempts": 0},
         {"status": "ENQUEUED", "recovery_attempts": 0}),
    ],
)  # fmt: skip
def test_unpausing_restores_what_there_was(
    client: DBOSClient, rows: Rows, columns: dict[str, Any], restored: dict[str, Any]
) -> None:
    wid = waiting(client)
    rows.become(wid, **columns)
    before = rows.workflow(wid)
    client.pause_workflow(wid)
    paused = rows.workflow(wid)
    assert (paused["status"], paused["delay_until_epoch_ms"]) == ("DELAYED", PAUSED_UNTIL_MS)
    assert (paused["owner_xid"], paused["started_at_epoch_ms"]) == (None, None)
    assert client.unpause_workflow(wid)
    assert lasting(rows.workflow(wid)) == {**lasting(before), **restored}
    client.cancel_workflow(wid)


def test_get_lists_counts_and_explain_show_a_pause(client: DBOSClient, rows: Rows) -> None:
    paused, anonymous, free = waiting(client), waiting(client), waiting(client)
    client.pause_workflow(paused, reason="the bank is closed", paused_by="ada")
    client.pause_workflow(anonymous)
    role = rows.run("SELECT session_user AS role")[0]["role"]
    status = client.get_workflow(paused)
    assert status.status == "DELAYED"
    assert status.explanation is not None
    assert status.explanation.startswith("paused by ada since 20")
    assert status.explanation.endswith("+00:00: the bank is closed; unpause_workflow lets it go on")
    ours = [paused, anonymous, free]
    listed = {each.workflow_id: each for each in client.list_workflows(WorkflowFilter(workflow_ids=ours))}
    assert listed[paused] == status
    assert (listed[anonymous].explanation or "").startswith(f"paused by {role} since ")
    assert listed[free].explanation is None
    for is_paused, wanted in ((True, {paused, anonymous}), (False, {free})):
        chosen = WorkflowFilter(workflow_ids=ours, is_paused=is_paused)
        assert {each.workflow_id for each in client.list_workflows(chosen)} == wanted
        assert client.count_workflows(chosen) == len(wanted)
    explained = client.explain(paused)
    assert (explained.reason, explained.message) == ("paused", f"it is {status.explanation}")
    client.cancel_workflows(ours)


def test_a_pause_of_a_paused_or_ended_workflow_is_refused(
    client: DBOSClient, rows: Rows, new_id: NewId
) -> None:
    wid = waiting(client)
    client.pause_workflow(wid, reason="lunch", paused_by="ada")
    before = rows.workflow(wid), rows.run(NOTES, wid)
    with pytest.raises(errors.WrongStatus) as refused:
        client.pause_workflow(wid, reason="dinner", paused_by="bob")
    assert str(refused.value).startswith(
        f"workflow {wid!r} cannot be paused: it is DELAYED; already paused by ada since 20"
    )
    assert str(refused.value).endswith(": lunch; unpause_workflow lets it go on")
    assert (rows.workflow(wid), rows.run(NOTES, wid)) == before
    client.cancel_workflow(wid)
    with pytest.raises(errors.WrongStatus) as refused:
        client.pause_workflow(wid)
    assert str(refused.value) == (
        f"workflow {wid!r} cannot be paused: it is CANCELLED; only one that has not ended can be"
    )
    nobody = new_id()
    for call in (client.pause_workflow, client.unpause_workflow):
        with pytest.raises(errors.NoSuchWorkflow, match=nobody):
            call(nobody)


@pytest.mark.parametrize("option", ["reason", "paused_by"])
def test_a_blank_reason_is_refused(client: DBOSClient, option: str) -> None:
    refused = pytest.raises(errors.InvalidOption, match=rf"{option}=' '.*empty or blank")
    with refused:
        client.pause_workflow("w", **{option: " "})
    with refused:
        client.pause_workflows(["w"], **{option: " "})  # type: ignore[arg-type]


def test_what_is_not_paused_is_not_unpaused(client: DBOSClient, rows: Rows) -> None:
    wid = waiting(client, delay=3600)
    before = rows.workflow(wid)
    assert client.unpause_workflow(wid) is False
    assert client.unpause_workflows([wid]) == []
    assert rows.workflow(wid) == before


def test_many_are_paused_and_unpaused_and_the_rest_is_left_out(
    client: DBOSClient, rows: Rows, new_id: NewId
) -> None:
    first, second, paused, ended = (waiting(client) for _ in range(4))
    client.pause_workflow(paused, paused_by="ada")
    client.cancel_workflow(ended)
    ids = [first, second, paused, ended, new_id()]
    assert sorted(client.pause_workflows(ids, dry_run=True)) == sorted([first, second])
    assert rows.workflow(first)["status"] == "ENQUEUED"
    assert sorted(client.pause_workflows(ids, paused_by="bob")) == sorted([first, second])
    assert rows.run(NOTES, paused)[0]["paused_by"] == "ada"
    assert sorted(client.unpause_workflows(ids, dry_run=True)) == sorted([first, second, paused])
    assert sorted(client.unpause_workflows(ids)) == sorted([first, second, paused])
    assert client.unpause_workflows(ids) == client.pause_workflows([]) == []
    client.cancel_workflows(ids)


def test_a_filter_is_paused_and_unpaused(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    queue = new_id("queue")
    made = [
        client.enqueue(EnqueueOptions(workflow_name="w", queue_name=queue, delay=delay)).workflow_id
        for delay in (None, None, 3600)
    ]
    on_queue = WorkflowFilter(queue_name=queue)
    waits = WorkflowFilter(queue_name=queue, status="ENQUEUED")
    assert sorted(client.pause_workflows(waits, dry_run=True)) == sorted(made[:2])
    assert sorted(client.pause_workflows(waits)) == sorted(made[:2])
    assert client.pause_workflows(on_queue) == made[2:]
    assert client.pause_workflows(WorkflowFilter(queue_name=queue, status=["SUCCESS"])) == []
    assert sorted(client.unpause_workflows(on_queue, dry_run=True)) == sorted(made)
    assert sorted(client.unpause_workflows(on_queue)) == sorted(made)
    assert [rows.workflow(wid)["status"] for wid in made] == ["ENQUEUED", "ENQUEUED", "DELAYED"]
    with pytest.raises(errors.InvalidOption, match="workflow_ids"):
        client.pause_workflows(made[0])
    client.cancel_workflows(made)


@pytest.mark.parametrize("verb", ["cancel", "resume"])
def test_a_paused_workflow_that_is_cancelled_or_resumed_is_not_paused_any_more(
    client: DBOSClient, rows: Rows, verb: str
) -> None:
    wid = waiting(client)
    client.pause_workflow(wid, reason="lunch")
    if verb == "cancel":
        client.cancel_workflow(wid)
    client.resume_workflow(wid, queue_name="q")
    assert client.get_workflow(wid).status == "ENQUEUED"
    assert "paused" not in (client.get_workflow(wid).explanation or "")
    assert client.unpause_workflow(wid) is False
    client.pause_workflow(wid, reason="dinner")
    (note,) = rows.run(NOTES, wid)
    assert (note["reason"], note["status"]) == ("dinner", "ENQUEUED")
    client.cancel_workflow(wid)


def test_a_database_without_our_tables_cannot_pause(system_url: str, client: DBOSClient, rows: Rows) -> None:
    wid = waiting(client)
    rows.run("ALTER SCHEMA durably RENAME TO hidden")
    try:
        with DBOSClient.create(system_database_url=system_url) as bare:
            for call in (bare.pause_workflow, bare.unpause_workflow):
                with pytest.raises(errors.DatabaseError, match="run `durably db migrate`"):
                    call(wid)
            assert bare.get_workflow(wid).status == "ENQUEUED"
            assert bare.list_workflows(WorkflowFilter(workflow_ids=[wid], is_paused=True)) == []
    finally:
        rows.run("ALTER SCHEMA hidden RENAME TO durably")
    client.cancel_workflow(wid)
