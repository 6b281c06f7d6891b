"""A lease is renewed at one price, whatever is parked; what is parked is compared in pages of one price."""

from __future__ import annotations

import json

import psycopg
import pytest

from durably.engine.comparison import START
from durably.store.database import PLANS
from durably.store.sql import Schemas, numbered

FILL = """
    INSERT INTO dbos.workflow_status (
        workflow_uuid, name, status, queue_name, executor_id, owner_xid, created_at)
    SELECT 'parked-' || n, 'w', 'PENDING', 'q', 'e', 'o', n FROM generate_series(%s::int, %s::int) n
"""
LEASE = """
    INSERT INTO durably.executors (
        executor_id, application_name, application_version, host, pid, process_start,
        heartbeat_at, expires_at, lease_seconds)
    VALUES ('e', 'a', 'v', 'h', 1, 'p', now(), now(), 15)
"""
RUNS = json.dumps([{"workflow_id": f"parked-{n}", "owner": "o"} for n in range(1, 11)])
VALUES = {
    "executor_id": "'e'",
    "application_name": "'a'",
    "host": "'h'",
    "runs": f"'{RUNS}'",
    "after": f"'{START}'",
    "most": "10",
}


@pytest.mark.parametrize("statement", ["executors/beat", "executors/compare"])
def test_ten_thousand_times_as_many_parked_runs_cost_a_beat_no_more(
    database_url: str, statement: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(LEASE)
        connection.execute(PLANS.encode())
        text, order = numbered(statement, Schemas())
        connection.execute(b"PREPARE asked AS " + text)
        explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked({})".format(
            ", ".join(VALUES[name] for name in order)
        )
        pages(connection, explain)  # planned once, while there is nothing
        connection.execute(FILL, (1, 10))
        few = pages(connection, explain)
        connection.execute(FILL, (11, 100_000))
        many = pages(connection, explain)
    assert few > 0
    assert many <= 2 * few, (few, many)


def pages(connection: psycopg.Connection[tuple[list[dict[str, dict[str, int]]]]], explain: str) -> int:
    """Pages that the prepared statement touches, without what a first look leaves behind; it is undone."""
    look(connection, explain)
    return look(connection, explain)


def look(connection: psycopg.Connection[tuple[list[dict[str, dict[str, int]]]]], explain: str) -> int:
    with connection.transaction(force_rollback=True):
        row = connection.execute(explain.encode()).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
