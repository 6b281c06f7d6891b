"""What managing a workflow leaves in the tables: ours beside what DBOS for Python's own client leaves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from durably import AsyncDBOSClient, DBOSClient
from tests.interop import harness
from tests.support.databases import Databases

TABLES = {
    "workflow_status": "workflow_uuid",
    "workflow_input": "workflow_uuid",
    "workflow_output": "workflow_uuid",
    "operation_outputs": "workflow_uuid",
    "workflow_events": "workflow_uuid",
    "workflow_events_history": "workflow_uuid",
    "streams": "workflow_uuid",
    "notifications": "destination_uuid",
}
START = """
INSERT INTO workflow_status (workflow_uuid, status, name, class_name, authenticated_user, queue_name,
    priority, recovery_attempts, executor_id, application_version, application_name, serialization,
    attributes, owner_xid, started_at_epoch_ms, workflow_timeout_ms, workflow_deadline_epoch_ms,
    queue_partition_key, created_at, updated_at, delay_until_epoch_ms, deduplication_id, completed_at)
VALUES ('{id}', '{status}', 'w', 'C', 'ada', 'q', 3, 7, 'e', 'v1', 'app', 'portable_json',
    '{{"a": 1}}', 'owner', 10, 60000, 9999999999999, 'p', 5, 6, 4000000000000, '{id}', 8);
INSERT INTO workflow_status (workflow_uuid, status, name, parent_workflow_id, created_at, updated_at)
VALUES ('{id}-kid', 'ENQUEUED', 'kid', '{id}', 5, 6);
INSERT INTO workflow_input (workflow_uuid, inputs)
VALUES ('{id}', '{{"positionalArgs":[1],"namedArgs":{{}}}}');
INSERT INTO operation_outputs (workflow_uuid, function_id, function_name, output, error, child_workflow_id,
    serialization, started_at_epoch_ms, completed_at_epoch_ms, application_name)
VALUES ('{id}', 1, 'one', '1', NULL, NULL, 'portable_json', 1, 2, 'app'),
       ('{id}', 2, 'kid', NULL, NULL, '{id}-kid', NULL, 1, 2, 'app'),
       ('{id}', 3, 'three', NULL, '{{"name":"E","message":"m"}}', NULL, 'portable_json', 1, 2, 'app'),
       ('{id}', 4, 'four', '4', NULL, NULL, 'portable_json', 1, 2, 'app');
INSERT INTO workflow_events_history (workflow_uuid, function_id, key, value, serialization)
VALUES ('{id}', 1, 'a', '1', 'portable_json'), ('{id}', 3, 'a', '3', 'portable_json'),
       ('{id}', 4, 'b', '4', 'portable_json');
INSERT INTO workflow_events (workflow_uuid, key, value, serialization)
VALUES ('{id}', 'a', '3', 'portable_json'), ('{id}', 'b', '4', 'portable_json');
INSERT INTO streams (workflow_uuid, key, value, "offset", function_id, serialization)
VALUES ('{id}', 's', '1', 0, 1, 'portable_json'), ('{id}', 's', '2', 1, 4, 'portable_json'),
       ('{id}', 's', '"__DBOS_STREAM_CLOSED__"', 2, 4, 'portable_json');
INSERT INTO notifications (message_uuid, destination_uuid, topic, message, created_at_epoch_ms, consumed,
    consumed_by_function_id)
VALUES ('{id}-1', '{id}', 't', '1', 1, true, 1), ('{id}-2', '{id}', 't', '2', 2, true, 4),
       ('{id}-3', '{id}', 't', '3', 3, false, NULL);
"""
OUTPUT = """INSERT INTO workflow_output (workflow_uuid, error)
VALUES ('{id}', '{{"name":"E","message":"m"}}')"""
OURS = {"creator_xid"}  # a token, with which a repeated call is recognized
NOW = "now"
DELAYED_UNTIL = datetime.fromtimestamp(4_102_444_800, UTC)

Apply = Callable[[Any, str], Any]


def theirs_of(op: str, **fields: Any) -> Apply:
    return lambda peer, wid: peer.call(op, id=wid, **fields)


VERBS: dict[str, tuple[Apply, Apply]] = {
    "cancel": (lambda client, wid: client.cancel_workflow(wid), theirs_of("cancel")),
    "cancel children": (
        lambda client, wid: client.cancel_workflow(wid, cancel_children=True),
        theirs_of("cancel", cancelChildren=True),
    ),
    "resume": (lambda client, wid: client.resume_workflow(wid), theirs_of("resume")),
    "resume on": (
        lambda client, wid: client.resume_workflow(wid, queue_name="r"),
        theirs_of("resume", queueName="r"),
    ),
    "delete": (lambda client, wid: client.delete_workflow(wid), theirs_of("delete")),
    "delete children": (
        lambda client, wid: client.delete_workflow(wid, delete_children=True),
        theirs_of("delete", deleteChildren=True),
    ),
    "set delay": (
        lambda client, wid: client.set_workflow_delay(wid, delay_until=DELAYED_UNTIL),
        theirs_of("setDelay", delayUntilEpochMS=4_102_444_800_000),
    ),
    "attributes": (
        lambda client, wid: client.update_workflow_attributes(wid, {"b": [1]}),
        theirs_of("updateAttributes", attributes={"b": [1]}),
    ),
    "no attributes": (
        lambda client, wid: client.update_workflow_attributes(wid, None),
        theirs_of("updateAttributes", attributes=None),
    ),
    "merge attributes": (
        lambda client, wid: client.update_workflow_attributes(wid, {"b": 2}, merge=True),
        theirs_of("updateAttributes", attributes={"b": 2}, merge=True),
    ),
}
STATUSES = [
    "ENQUEUED",
    "DELAYED",
    "PENDING",
    "SUCCESS",
    "ERROR",
    "CANCELLED",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED",
]


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    url = databases.migrated()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def theirs(url: str) -> Iterator[harness.PeerClient]:
    try:
        peer = harness.PeerClient("python", url)
    except harness.PeerUnavailable as error:
        pytest.skip(str(error))
    with peer as client:
        yield client


@pytest.fixture(scope="module")
def ours(url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=url) as client:
        yield client


@pytest.fixture
def rows(url: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("SET search_path = dbos")
        yield connection
        for table in TABLES:
            connection.execute(f"TRUNCATE {table} CASCADE".encode())


def begin(rows: psycopg.Connection[Any], wid: str, status: str) -> None:
    rows.execute(START.format(id=wid, status=status).encode())
    if status == "ERROR":
        rows.execute(OUTPUT.format(id=wid).encode())


def left(rows: psycopg.Connection[dict[str, Any]], wid: str, since: float) -> dict[str, Any]:
    """Every row of a workflow, its children and its forks, with ids and instants of today as words."""

    def word(column: str, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and value >= since:
            is_now = value < (time.time() + 60) * 1000
            return NOW if is_now else value
        return value.replace(wid, "W") if isinstance(value, str) else value

    found = {}
    for table, key in TABLES.items():
        which = f"{key} LIKE %s"
        listed = rows.execute(f"SELECT * FROM {table} WHERE {which}".encode(), [f"{wid}%"]).fetchall()
        found[table] = sorted(
            (
                {column: word(column, value) for column, value in row.items() if column not in OURS}
                for row in listed
            ),
            key=lambda row: json.dumps(row, default=str, sort_keys=True),
        )
    return found


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_leaves_the_rows_that_dbos_leaves(
    ours: DBOSClient,
    theirs: harness.PeerClient,
    rows: psycopg.Connection[dict[str, Any]],
    verb: str,
    status: str,
) -> None:
    begin(rows, "ours", status)
    begin(rows, "theirs", status)
    since = (time.time() - 60) * 1000
    our_verb, their_verb = VERBS[verb]
    our_verb(ours, "ours")
    their_verb(theirs, "theirs")
    assert left(rows, "ours", since) == left(rows, "theirs", since)


@pytest.mark.parametrize("status", ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
@pytest.mark.parametrize("start", [1, 2, 4, 5])
def test_a_rewind_leaves_the_rows_that_dbos_leaves(
    ours: DBOSClient,
    theirs: harness.PeerClient,
    rows: psycopg.Connection[dict[str, Any]],
    start: int,
    status: str,
) -> None:
    begin(rows, "ours", status)
    begin(rows, "theirs", status)
    since = (time.time() - 60) * 1000
    ours.rewind_workflow("ours", start)
    theirs.call("rewind", id="theirs", startStep=start)
    assert left(rows, "ours", since) == left(rows, "theirs", since)


@pytest.mark.parametrize("status", ["PENDING", "ERROR"])
@pytest.mark.parametrize("start", [1, 3, 5])
def test_a_fork_leaves_the_rows_that_dbos_leaves(
    ours: DBOSClient,
    theirs: harness.PeerClient,
    rows: psycopg.Connection[dict[str, Any]],
    start: int,
    status: str,
) -> None:
    begin(rows, "ours", status)
    begin(rows, "theirs", status)
    since = (time.time() - 60) * 1000
    forks = {
        "ours": ours.fork_workflow("ours", start, queue_name="r").workflow_id,
        "theirs": theirs.call("fork", id="theirs", startStep=start, queueName="r"),
    }
    renamed = "SET session_replication_role = replica;" + "".join(
        f"UPDATE {table} SET {key} = '{wid}-fork' WHERE {key} = '{fork}';"
        for table, key in TABLES.items()
        for wid, fork in forks.items()
    )
    rows.execute(renamed.encode())  # names alike, whatever ids they have
    assert left(rows, "ours", since) == left(rows, "theirs", since)


async def test_a_client_in_async_code_leaves_the_same(
    url: str, theirs: harness.PeerClient, rows: psycopg.Connection[dict[str, Any]]
) -> None:
    begin(rows, "ours", "PENDING")
    begin(rows, "theirs", "PENDING")
    since = (time.time() - 60) * 1000
    async with AsyncDBOSClient.create(system_database_url=url) as ours:
        await ours.delete_workflow("ours", delete_children=True)
    theirs.call("delete", id="theirs", deleteChildren=True)
    assert left(rows, "ours", since) == left(rows, "theirs", since)
