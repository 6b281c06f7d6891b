"""Lists, counts, steps; cancel and resume, status by status."""

from __future__ import annotations

import asyncio
import gc
import re
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import psycopg
import pytest

from durably import AsyncDBOSClient, DBOSClient, EnqueueOptions, WorkflowFilter, errors
from tests.client.conftest import NewId, Rows
from tests.interop.conftest import open_client

OPTIONS = EnqueueOptions(workflow_name="w", queue_name="q")
STATUSES = (
    "ENQUEUED", "DELAYED", "PENDING", "SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED",
)  # fmt: skip


def at(status: int | None) -> datetime:
    assert status is not None
    return datetime.fromtimestamp(status / 1000, UTC)


# --- lists -------------------------------------------------------------------------------------------------


@pytest.fixture
def prefix(blocking: DBOSClient, rows: Rows, new_id: NewId) -> str:
    """Five workflows, created a second apart, of which no two are alike."""
    prefix = new_id("list")
    made: list[tuple[str, dict[str, Any]]] = [
        ("ENQUEUED", {"name": "a", "application_version": "1", "attributes": '{"k":1,"x":[1,2]}'}),
        (
            "SUCCESS",
            {"name": "b", "completed_at": 5_000, "executor_id": "e1", "application_name": "shop"},
        ),
        ("ERROR", {"name": "a", "parent_workflow_id": f"{prefix}-0", "queue_name": None}),
        ("PENDING", {"name": "c", "started_at_epoch_ms": 7_000, "authenticated_user": "ada"}),
        (
            "CANCELLED",
            {"name": "d", "forked_from": f"{prefix}-1", "schedule_name": "s", "queue_name": "r"},
        ),
    ]
    for n, (status, columns) in enumerate(made):
        wid = f"{prefix}-{n}"
        blocking.enqueue(EnqueueOptions(workflow_name="w", queue_name="q", workflow_id=wid), n)
        rows.become(wid, status, **columns, created_at=1_000 * (n + 1))
    rows.become(f"{prefix}-1", "SUCCESS", was_forked_from=True)
    return prefix


SECOND = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "01234"),
    ({"status": "ERROR"}, "2"),
    ({"status": ("ERROR", "SUCCESS")}, "12"),
    ({"status": ()}, ""),
    ({"name": "a"}, "02"),
    ({"name": ["a", "d"]}, "024"),
    ({"queue_name": "q"}, "013"),
    ({"queues_only": True}, "03"),
    ({"app_version": "1"}, "0"),
    ({"application_name": "shop"}, "01234"),
    ({"application_name": "other"}, "0234"),
    ({"executor_id": "e1"}, "1"),
    ({"authenticated_user": "ada"}, "3"),
    ({"has_parent": True}, "2"),
    ({"has_parent": False}, "0134"),
    ({"is_fork": True}, "4"),
    ({"is_fork": False}, "0123"),
    ({"was_forked_from": True}, "1"),
    ({"was_forked_from": False}, "0234"),
    ({"schedule_name": "s"}, "4"),
    ({"attributes": {"k": 1}}, "0"),
    ({"attributes": {"x": [2]}}, "0"),
    ({"attributes": {"k": 2}}, ""),
    ({"start_time": EPOCH + 2 * SECOND}, "1234"),
    ({"end_time": EPOCH + 2 * SECOND}, "01"),
    ({"completed_after": EPOCH + 5 * SECOND}, "1"),
    ({"completed_before": EPOCH + 4 * SECOND}, ""),
    ({"dequeued_after": EPOCH + 7 * SECOND}, "3"),
    ({"dequeued_before": EPOCH + 7 * SECOND}, "3"),
    ({"sort_desc": True}, "43210"),
    ({"limit": 2}, "01"),
    ({"limit": 0}, ""),
    ({"limit": 2, "offset": 3}, "34"),
    ({"sort_desc": True, "limit": 1}, "4"),
    ({"name": "a", "status": "ERROR"}, "2"),
]


def test_filters(client: DBOSClient, prefix: str) -> None:
    def listed(**conditions: Any) -> str:
        chosen = WorkflowFilter(workflow_id_prefix=prefix, **conditions)
        found = "".join(status.workflow_id[-1] for status in client.list_workflows(chosen))
        if not {"limit", "offset"} & conditions.keys():
            assert client.count_workflows(chosen) == len(found)
        return found

    assert {str(f): listed(**f) for f, _ in FILTERS} == {str(f): wanted for f, wanted in FILTERS}
    assert listed(parent_workflow_id=f"{prefix}-0") == "2"
    assert listed(forked_from=[f"{prefix}-1", "x"]) == "4"
    by_id = WorkflowFilter(workflow_ids=[f"{prefix}-3", f"{prefix}-1", "x"])
    assert [status.workflow_id for status in client.list_workflows(by_id)] == [f"{prefix}-1", f"{prefix}-3"]
    assert client.list_workflows(WorkflowFilter(workflow_ids=[])) == []
    assert client.count_workflows(WorkflowFilter(workflow_ids=())) == 0
    assert client.count_workflows() >= 5
    assert client.count_workflows(count_to=3) == 3


def test_payloads_are_loaded_where_they_are_wanted(client: DBOSClient, rows: Rows, prefix: str) -> None:
    rows.end(f"{prefix}-1", output="17")
    rows.end(f"{prefix}-2", "ERROR", error='{"name":"E","message":"m"}')
    chosen: dict[str, Any] = {"workflow_id_prefix": prefix}
    first, second, third, *_ = client.list_workflows(WorkflowFilter(**chosen))
    assert (first.input, first.output, second.output) == ({"args": (0,), "kwargs": {}}, None, 17)
    assert isinstance(third.error, errors.WorkflowFailed)
    (bare,) = client.list_workflows(
        WorkflowFilter(**chosen, status="SUCCESS", load_input=False, load_output=False)
    )
    assert (bare.input, bare.output, bare.error) == (None, None, None)


def test_a_payload_of_a_foreign_format_is_its_text(client: DBOSClient, rows: Rows) -> None:
    wid = client.enqueue(OPTIONS).workflow_id
    rows.run("UPDATE dbos.workflow_input SET inputs = 'gAROLg==' WHERE workflow_uuid = %s", wid)
    rows.end(wid, "ERROR", error="gASV")
    rows.become(wid, "ERROR", serialization="py_pickle", authenticated_roles="not json", attributes="null")
    status = client.get_workflow(wid)
    assert (status.input, status.error) == ("gAROLg==", "gASV")
    assert (status.authenticated_roles, status.attributes) == ((), None)


def test_empty_texts_of_other_clients_are_unset(client: DBOSClient, rows: Rows) -> None:
    wid = client.enqueue(OPTIONS).workflow_id
    empty = (
        "class_name",
        "config_name",
        "executor_id",
        "application_id",
        "authenticated_user",
        "assumed_role",
    )
    rows.become(wid, "ENQUEUED", **dict.fromkeys(empty, ""), authenticated_roles="[]")
    status = client.get_workflow(wid)
    assert (status.class_name, status.config_name, status.executor_id, status.app_id) == (None,) * 4
    assert (status.authenticated_user, status.assumed_role, status.authenticated_roles) == (None, None, ())


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_named_client_sees_its_own(colour: str, system_url: str, rows: Rows, prefix: str) -> None:
    with open_client(colour, system_database_url=system_url, application_name="mine") as client:
        assert client.count_workflows(WorkflowFilter(workflow_id_prefix=prefix)) == 4
        assert client.count_workflows(WorkflowFilter(workflow_ids=[f"{prefix}-1"])) == 1
        shop = WorkflowFilter(workflow_id_prefix=prefix, application_name="shop")
        assert client.count_workflows(shop) == 5


@pytest.mark.parametrize(
    ("conditions", "option"),
    [
        ({"status": "DONE"}, "status"),
        ({"status": ["DONE"]}, "status"),
        ({"name": 7}, "name"),
        ({"name": "a\0"}, "name"),
        ({"start_time": datetime(2025, 1, 1)}, "start_time"),
        ({"end_time": "2025-01-01"}, "end_time"),
        ({"limit": -1}, "limit"),
        ({"limit": True}, "limit"),
        ({"offset": 1.5}, "offset"),
        ({"attributes": [1]}, "attributes"),
    ],
)
def test_bad_filters(blocking: DBOSClient, conditions: dict[str, Any], option: str) -> None:
    with pytest.raises(errors.InvalidOption, match=option):
        blocking.list_workflows(WorkflowFilter(**conditions))
    with pytest.raises(errors.InvalidOption, match="WorkflowFilter"):
        blocking.list_workflows({"status": "ERROR"})  # type: ignore[arg-type]


def test_list_and_count_have_the_same_conditions() -> None:
    root = files("durably.store").joinpath("sql", "workflows")
    texts = [root.joinpath(f"{name}.sql").read_text() for name in ("list", "count")]
    where = [re.findall(r"^    WHERE .*?(?=^    ORDER|^    LIMIT|^\))", text, re.M | re.S) for text in texts]
    assert where == [["    WHERE {conditions}\n"]] * 2  # which is one file


def test_steps(client: DBOSClient, rows: Rows) -> None:
    wid = client.enqueue(OPTIONS).workflow_id
    for n, (output, error, name) in enumerate(
        [("1", None, "portable_json"), (None, '{"name":"E","message":"m"}', "portable_json"),
         ("gAROLg==", None, "py_pickle"), (None, None, None)], start=1
    ):  # fmt: skip
        rows.run(
            "INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output, error, "
            "serialization, started_at_epoch_ms, completed_at_epoch_ms) VALUES (%s,%s,%s,%s,%s,%s,1,2)",
            wid, n, f"step{n}", output, error, name,
        )  # fmt: skip
    steps = client.list_workflow_steps(wid)
    assert [(s.function_id, s.function_name) for s in steps] == [(n, f"step{n}") for n in range(1, 5)]
    assert [s.output for s in steps] == [1, None, "gAROLg==", None]
    assert isinstance(steps[1].error, errors.WorkflowFailed)
    assert (steps[0].started_at_epoch_ms, steps[0].completed_at_epoch_ms) == (1, 2)
    assert [s.output for s in client.list_workflow_steps(wid, load_output=False)] == [None] * 4
    assert [s.function_id for s in client.list_workflow_steps(wid, limit=2, offset=1)] == [2, 3]
    assert client.list_workflow_steps("nobody") == []
    assert len(client.retrieve_workflow(wid).steps()) == 4


# --- cancel and resume -------------------------------------------------------------------------------------

LIVELY = {
    "queue_name": "q",
    "deduplication_id": None,
    "started_at_epoch_ms": 5,
    "owner_xid": "o",
    "recovery_attempts": 3,
    "workflow_deadline_epoch_ms": 9,
    "workflow_timeout_ms": 8,
    "completed_at": 4,
    "priority": 6,
}


def in_status(client: DBOSClient, rows: Rows, status: str) -> str:
    wid = client.enqueue(OPTIONS).workflow_id
    rows.become(wid, status, **{**LIVELY, "deduplication_id": wid, "updated_at": 1})
    return wid


@pytest.mark.parametrize("status", STATUSES)
def test_cancel(client: DBOSClient, rows: Rows, status: str) -> None:
    wid = in_status(client, rows, status)
    before = rows.workflow(wid)
    changed = client.cancel_workflow(wid)
    after = rows.workflow(wid)
    if status in ("SUCCESS", "ERROR"):
        assert (changed, after) == (False, before)
        return
    assert changed is True
    assert after["updated_at"] == after["completed_at"] > 1
    gone = dict.fromkeys(("queue_name", "deduplication_id", "started_at_epoch_ms", "owner_xid"))
    times = {"updated_at": after["updated_at"], "completed_at": after["completed_at"]}
    assert after == {**before, "status": "CANCELLED", **gone, **times}


@pytest.mark.parametrize("status", STATUSES)
def test_resume(client: DBOSClient, rows: Rows, status: str) -> None:
    for queue in (None, "r"):
        wid = in_status(client, rows, status)
        before = rows.workflow(wid)
        assert client.resume_workflow(wid, queue_name=queue).workflow_id == wid
        after = rows.workflow(wid)
        if status in ("SUCCESS", "ERROR"):
            assert after == before
            continue
        gone = ("deduplication_id", "started_at_epoch_ms", "owner_xid", "completed_at")
        assert after["updated_at"] > 1
        assert after == {
            **before, **dict.fromkeys(gone), "status": "ENQUEUED", "workflow_deadline_epoch_ms": None,
            "queue_name": queue or "_dbos_internal_queue", "recovery_attempts": 0,
            "updated_at": after["updated_at"], "creator_xid": after["creator_xid"],
        }  # fmt: skip


def test_unknown_ids(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    known, nobody = in_status(client, rows, "CANCELLED"), new_id()
    before = rows.workflow(known)
    with pytest.raises(errors.NoSuchWorkflow, match=nobody):
        client.cancel_workflow(nobody)
    with pytest.raises(errors.NoSuchWorkflow, match=nobody):
        client.resume_workflow(nobody)
    with pytest.raises(errors.NoSuchWorkflow, match=nobody):
        client.resume_workflows([known, nobody])
    assert rows.workflow(known) == before
    assert client.cancel_workflows([nobody]) == []


def test_several_are_cancelled_and_resumed(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    live, over = in_status(client, rows, "PENDING"), in_status(client, rows, "SUCCESS")
    assert client.cancel_workflows([live, over, new_id(), live]) == [live]
    assert [handle.workflow_id for handle in client.resume_workflows([over, live])] == [over, live]
    assert (rows.workflow(live)["status"], rows.workflow(over)["status"]) == ("ENQUEUED", "SUCCESS")
    with pytest.raises(errors.InvalidOption, match="workflow_ids"):
        client.cancel_workflows(live)
    assert client.cancel_workflows([]) == []
    assert client.resume_workflows([]) == []


def test_children_are_cancelled_where_asked(client: DBOSClient, rows: Rows) -> None:
    parent, child, grandchild, done = (in_status(client, rows, "PENDING") for _ in range(4))
    rows.become(child, "PENDING", parent_workflow_id=parent)
    rows.become(grandchild, "ENQUEUED", parent_workflow_id=child)
    rows.become(done, "SUCCESS", parent_workflow_id=child)
    client.cancel_workflow(parent)
    assert [rows.workflow(w)["status"] for w in (parent, child)] == ["CANCELLED", "PENDING"]
    client.retrieve_workflow(parent).cancel(cancel_children=True)
    found = [rows.workflow(w)["status"] for w in (child, grandchild, done)]
    assert found == ["CANCELLED", "CANCELLED", "SUCCESS"]
    other = in_status(client, rows, "PENDING")
    rows.become(done, "PENDING", parent_workflow_id=other)
    assert sorted(client.cancel_workflows([other], cancel_children=True)) == sorted([other, done])


@pytest.fixture
def heard(system_url: str) -> Iterator[Callable[[], list[str]]]:
    """The notices on our channel since the last call."""
    with psycopg.connect(system_url, autocommit=True) as connection:
        connection.execute("LISTEN durably")
        yield lambda: [notice.payload for notice in connection.notifies(timeout=10, stop_after=1)]


def test_what_wakes_whom(blocking: DBOSClient, rows: Rows, heard: Callable[[], list[str]]) -> None:
    wid = blocking.enqueue(OPTIONS).workflow_id
    assert heard() == ["q::q"]
    blocking.cancel_workflow(wid)
    assert heard() == [f"r::{wid}"]
    blocking.resume_workflow(wid, queue_name="elsewhere")
    assert heard() == ["q::elsewhere"]
    rows.become(wid, "PENDING", owner_xid="first")
    blocking.resume_workflow(wid)
    assert sorted(heard() + heard()) == [f"c::{wid}::first", "q::_dbos_internal_queue"]
    rows.become(wid, "PENDING", owner_xid="second")
    blocking.cancel_workflow(wid)
    assert sorted(heard() + heard()) == [f"c::{wid}::second", f"r::{wid}"]
    blocking.enqueue_many([(OPTIONS, ())] * 3)
    assert heard() == ["q::q"]


def test_a_cancelled_wait_ends_at_once(client: DBOSClient) -> None:
    handle = client.enqueue(OPTIONS)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(handle.get_result, timeout=20)
        handle.cancel()
        with pytest.raises(errors.WorkflowCancelled):
            waiting.result(20)
    handle.resume(queue_name="q")
    assert handle.get_status().status == "ENQUEUED"


async def test_a_status_explains_an_unknown_queue(database_url: str) -> None:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        handle = await client.enqueue(EnqueueOptions(workflow_name="w", queue_name="ticketQeue"))
        status = await handle.get_status()
        assert status.status == "ENQUEUED"
        assert "no application has registered the queue 'ticketQeue'" in (status.explanation or "")
        await handle.cancel()
        assert (await handle.get_status()).explanation is None


async def test_a_call_that_is_cancelled_before_it_begins_leaves_nothing_behind(database_url: str) -> None:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            calls = asyncio.gather(client.list_workflows(), client.cancel_workflow("nobody"))
            calls.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calls
            del calls
            gc.collect()
        assert [str(each.message) for each in told] == []
