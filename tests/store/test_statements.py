"""Statements under circumstances that are rare and must not stop an executor."""

from __future__ import annotations

import json

import psycopg
import pytest

from durably.concurrency.world import RealWorld
from durably.core.names import PAUSED_UNTIL_MS
from durably.core.ports import ExecutorIdentity
from durably.store.database import PLANS, Database
from durably.store.postgres import PostgresStore
from durably.store.sql import Schemas, statement
from tests.engine.support import rows

EXECUTOR = ExecutorIdentity(
    executor_id="e",
    application_name="a",
    app_version="v",
    host="h",
    pid=1,
    process_start="1",
    lease_seconds=10,
)
LONG = "x" * 8001  # longer than a notice may be; an index takes it, for it is compressed


async def test_names_that_no_notice_can_carry_stop_neither_pulse_nor_recovery(database_url: str) -> None:
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, owner_xid, "
        "workflow_deadline_epoch_ms, delay_until_epoch_ms) VALUES "
        "(%s || 'late', 'PENDING', 'w', 'q', 'e', 'token', 1, NULL), "
        "('delayed', 'DELAYED', 'w', %s, NULL, NULL, NULL, 1), "
        "('released', 'PENDING', 'w', %s, 'other', 'token', NULL, NULL), "
        "(%s || 'aside', 'PENDING', 'w', 'q', 'other', 'token', NULL, NULL), "
        "('adopted', 'PENDING', 'w', %s, 'e', 'token', NULL, NULL)",
        *[LONG] * 5,
    )
    database = Database(database_url)
    await database.open()
    store = PostgresStore(database, "a", RealWorld())
    await store.register(EXECUTOR)
    assert (await store.poll([], EXECUTOR)).cancelled == [LONG + "late"]
    await store.release([("released", "token")])
    await store.set_aside([(LONG + "aside", "token")])
    await store.adopt("a", ["e"])
    await database.close()
    statuses = "SELECT right(workflow_uuid, 9), status FROM dbos.workflow_status ORDER BY 1"
    assert {name.lstrip("x"): status for name, status in rows(database_url, statuses)} == {
        "late": "CANCELLED",
        "delayed": "ENQUEUED",
        "released": "ENQUEUED",
        "aside": "MAX_RECOVERY_ATTEMPTS_EXCEEDED",
        "adopted": "ENQUEUED",
    }


@pytest.mark.parametrize(
    ("status", "column"), [("DELAYED", "delay_until_epoch_ms"), ("PENDING", "workflow_deadline_epoch_ms")]
)
def test_a_pulse_reads_nothing_of_what_is_not_due(database_url: str, status: str, column: str) -> None:
    """Planned while the statistics know of no such workflow, as they do not until the first ANALYZE."""
    rows(
        database_url,
        f"INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, {column}) "
        f"SELECT n, '{status}', 'w', 'q', 4000000000000 + n FROM generate_series(1, 1000) n",
    )
    text = statement("hub/pulse", Schemas()).decode()
    given = {"waits": "[]", "application_name": "a", "executor_id": "e", "paused_until": PAUSED_UNTIL_MS}
    for name, value in given.items():
        text = text.replace(f"%({name})s", f"'{value}'")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(PLANS)
        answer = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}".encode()).fetchone()
    assert answer is not None
    plan = answer[0][0]
    assert _most_rows(plan["Plan"]) < 100, json.dumps(plan["Plan"], indent=1)


def _most_rows(node: dict[str, object]) -> float:
    """The most rows that any part of a plan went through."""
    plans = node.get("Plans", [])
    assert isinstance(plans, list)
    own = float(str(node["Actual Rows"])) + float(str(node.get("Rows Removed by Filter", 0)))
    return max([own, *map(_most_rows, plans)])
