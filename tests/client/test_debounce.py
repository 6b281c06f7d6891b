"""Debounce: rows, coalescing with DBOS Python's client both ways, and every error."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from typing import Any

import pytest

from durably import DBOSClient, Debounce, EnqueueOptions
from durably.app import App
from durably.errors import Deduplicated, InvalidOption, WorkflowConflict
from tests.client.conftest import NewId, Rows
from tests.engine.support import eventually
from tests.engine.support import rows as look
from tests.interop import harness

LONG = 600


def options(**more: Any) -> EnqueueOptions[..., Any]:
    return EnqueueOptions(**{"workflow_name": "index", "queue_name": "searches"} | more)


def test_calls_of_a_key_are_one_workflow_with_the_last_arguments(
    client: DBOSClient, rows: Rows, new_id: NewId
) -> None:
    key = new_id("page")
    first = client.debounce(options(), Debounce(key, period=LONG), 1)
    before = rows.workflow(first.workflow_id)
    again = client.debounce(options(), Debounce(key, period=2 * LONG), 2)
    row = rows.workflow(first.workflow_id)
    assert again.workflow_id == first.workflow_id
    assert json.loads(rows.inputs(first.workflow_id))["positionalArgs"] == [2]
    assert (row["status"], row["is_debounced"], row["creator_xid"]) == ("DELAYED", True, None)
    assert (row["deduplication_id"], row["debounce_deadline_epoch_ms"]) == (f"index-{key}", None)
    assert row["delay_until_epoch_ms"] - before["delay_until_epoch_ms"] >= LONG * 1000
    other = client.debounce(options(), Debounce(new_id("page"), period=LONG), 3)
    assert other.workflow_id != first.workflow_id


def test_the_first_call_sets_the_last_moment(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    key = new_id("page")
    handle = client.debounce(options(), Debounce(key, period=10, timeout=30))
    deadline = rows.workflow(handle.workflow_id)["debounce_deadline_epoch_ms"]
    client.debounce(options(), Debounce(key, period=LONG, timeout=LONG))
    row = rows.workflow(handle.workflow_id)
    assert (row["delay_until_epoch_ms"], row["debounce_deadline_epoch_ms"]) == (deadline, deadline)


def test_after_its_start_a_key_is_free(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    key = new_id("page")
    first = client.debounce(options(), Debounce(key, period=LONG))
    rows.become(first.workflow_id, "ENQUEUED", deduplication_id=None)  # as the end of its delay does
    assert client.debounce(options(), Debounce(key, period=LONG)).workflow_id != first.workflow_id


def test_typescript_forms_keys_with_the_class(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    key = new_id("page")
    for class_name, expected in ((None, f".index-{key}"), ("Search", f"Search.index-{key}")):
        chosen = options(serialization="js_superjson", workflow_class_name=class_name)
        handle = client.debounce(chosen, Debounce(key, period=LONG))
        assert rows.workflow(handle.workflow_id)["deduplication_id"] == expected


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"deduplication_id": "d"}, "deduplication_id='d': it does not go with a debounce: the key is what"),
        ({"delay": 5}, "delay=5: it does not go with a debounce: the period is the delay"),
        ({"priority": 1}, "priority=1: it does not go with a debounce"),
        ({"queue_partition_key": "k"}, "queue_partition_key='k': it does not go with a debounce"),
        (
            {"duplication_policy": "return-existing"},
            "duplication_policy='return-existing': it does not go with",
        ),
        ({"workflow_id_reuse_policy": "reject"}, "workflow_id_reuse_policy='reject': it does not go with"),
        ({"max_recovery_attempts": 3}, "max_recovery_attempts=3: it does not go with a debounce"),
    ],
)
def test_options_that_exclude_it_are_refused(
    client: DBOSClient, rows: Rows, more: dict[str, Any], message: str
) -> None:
    many = rows.count()
    with pytest.raises(InvalidOption, match=re.escape(message)):
        client.debounce(options(**more), Debounce("k", period=1))
    assert rows.count() == many


@pytest.mark.parametrize(
    ("debounce", "message"),
    [
        (Debounce("", period=1), "key='': "),
        (Debounce("k", period=-1), "period=-1: "),
        (Debounce("k", period=1, timeout=0), "timeout=0: "),
        (5, "debounce=5: pass Debounce(key, period=seconds)"),
    ],
)
def test_a_debounce_that_cannot_work_is_refused(client: DBOSClient, debounce: Any, message: str) -> None:
    with pytest.raises(InvalidOption, match=re.escape(message)):
        client.debounce(options(), debounce)


def test_a_key_that_another_holds_is_told(client: DBOSClient, new_id: NewId) -> None:
    key = new_id("page")
    client.enqueue(options(workflow_name="other", deduplication_id=f"index-{key}"))
    with pytest.raises(Deduplicated, match=f"index-{key}"):
        client.debounce(options(), Debounce(key, period=LONG))
    theirs = new_id("page")
    client.debounce(options(application_name="bank"), Debounce(theirs, period=LONG))
    with pytest.raises(Deduplicated):
        client.debounce(options(application_name="shop"), Debounce(theirs, period=LONG))


def test_a_partitioned_queue_is_refused(client: DBOSClient, new_id: NewId) -> None:
    client.register_queue("parts", partition_concurrency=1)
    with pytest.raises(InvalidOption, match="queue_name='parts': queue 'parts' is partitioned"):
        client.debounce(options(queue_name="parts"), Debounce(new_id("page"), period=LONG))


def test_an_id_of_another_workflow_is_refused(client: DBOSClient, new_id: NewId) -> None:
    id_ = new_id("taken")
    client.enqueue(options(workflow_name="other", workflow_id=id_))
    with pytest.raises(WorkflowConflict, match="in use by a workflow with the name 'other', not 'index'"):
        client.debounce(options(workflow_id=id_), Debounce(new_id("page"), period=LONG))


PEER = """
import sys
from dbos import DBOSClient
from dbos._debouncer import DebouncerClient
client = DBOSClient(system_database_url=sys.argv[1])
debouncer = DebouncerClient(client, {"workflow_name": "index", "queue_name": "searches"}, queue="searches")
print("id:" + debouncer.debounce(sys.argv[2], 600.0, 7).workflow_id)
client.destroy()
"""


def peer_debounces(url: str, key: str) -> str:
    """DBOS Python's own client calls."""
    command = [str(harness.PEER_PYTHON), "-c", PEER, harness.uri(url), key]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return next(line for line in done.stdout.splitlines() if line.startswith("id:"))[3:]


def test_dbos_python_and_we_coalesce(
    blocking: DBOSClient, system_url: str, rows: Rows, new_id: NewId
) -> None:
    theirs, ours = new_id("theirs"), new_id("ours")
    id_ = peer_debounces(system_url, theirs)
    assert blocking.debounce(options(), Debounce(theirs, period=LONG), 8).workflow_id == id_
    assert rows.workflow(id_)["serialization"] == "portable_json"
    assert json.loads(rows.inputs(id_))["positionalArgs"] == [8]
    mine = blocking.debounce(options(), Debounce(ours, period=LONG), 8).workflow_id
    assert peer_debounces(system_url, ours) == mine
    shape = (
        "status name class_name config_name queue_name is_debounced creator_xid priority recovery_attempts"
    )
    peers = rows.workflow(peer_debounces(system_url, new_id("fresh")))
    own = rows.workflow(blocking.debounce(options(), Debounce(new_id("x"), period=LONG), 8).workflow_id)
    assert {c: own[c] for c in shape.split()} == {c: peers[c] for c in shape.split()}


async def test_a_workflow_debounces_another_as_one_recorded_step(database_url: str) -> None:
    app = App("search", system_database_url=database_url)
    ran: list[int] = []

    @app.workflow(name="index")
    async def index(page: int) -> int:
        ran.append(page)
        return page

    @app.workflow(name="edit")
    async def edit() -> int:
        handle = await index.debounce(Debounce("k", period=0.3), 1)
        for page in (2, 3):
            handle = await index.debounce(Debounce("k", period=0.3), page)
        return await handle.get_result()

    @app.workflow(name="blockingIndex")
    def blocking_index(page: int) -> int:
        return page

    @app.workflow(name="blockingEdit")
    def blocking_edit() -> int:
        return blocking_index.debounce(Debounce("k", period=0.1), 5).get_result()

    async with app:
        handle = await edit.start()
        assert await asyncio.wait_for(handle.get_result(), 15) == 3
        assert ran == [3]
        steps = (
            "SELECT function_name FROM dbos.operation_outputs WHERE workflow_uuid = %s ORDER BY function_id"
        )
        recorded = [row[0] for row in look(database_url, steps, handle.workflow_id)]
        assert recorded == ["DBOS.debounce_delayed_workflow"] * 3 + ["DBOS.getResult"]
        again = await index.debounce(Debounce("k", period=0.01), 4)
        assert await asyncio.wait_for(again.get_result(), 15) == 4
        other = await asyncio.to_thread(blocking_edit.start)
        assert await asyncio.to_thread(other.get_result) == 5
        held = "SELECT 1 FROM dbos.workflow_status WHERE deduplication_id IS NOT NULL"
        await eventually(lambda: not look(database_url, held))


async def test_many_callers_at_once_are_one_workflow(database_url: str) -> None:
    app = App("search", system_database_url=database_url)

    @app.workflow(name="index")
    async def index(page: int) -> int:
        return page

    async with app:
        handles = await asyncio.gather(*(index.debounce(Debounce("k", period=1), n) for n in range(30)))
        assert len({handle.workflow_id for handle in handles}) == 1
