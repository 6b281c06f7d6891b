"""What a claim touches does not grow with the backlog, counted in pages: time depends on who else is busy."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from durably.store.database import PLANS
from durably.store.sql import Schemas, numbered

FILL = """
    INSERT INTO dbos.workflow_status (
        workflow_uuid, name, status, queue_name, queue_partition_key, created_at)
    SELECT gen_random_uuid(), 'w', 'ENQUEUED', 'q', 'k' || n % 100, n FROM generate_series(1, {}) n
"""
CLAIM: dict[str, Any] = {
    "queue_name": "q",
    "executor_id": "e",
    "application_name": "a",
    "app_version": "v",
    "owner": "o",
    "most": 5,
    "running": 0,
    "code": "",
    "runnable": ["w\x1f\x1f"],
    "formats": ["portable_json"],
    "keys": [f"k{n}" for n in range(5)],
    "after": "k5",
    "wanted": 6,
}


@pytest.mark.parametrize(
    ("statement", "limits"),
    [
        ("workflows/claim", "polling_interval_sec = 1"),
        ("workflows/claim_limited", "concurrency = 50"),
        ("workflows/claim_limited", "rate_limit_max = 50, rate_limit_period_sec = 60"),
        ("workflows/claim_partitions", "partition_concurrency = 5"),
        ("queues/partitions", "partition_concurrency = 5"),
    ],
)
def test_a_claim_of_a_hundredfold_backlog_touches_as_much(
    database_url: str, statement: str, limits: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO dbos.queues (name, application_name) VALUES ('q', 'a')")
        connection.execute(f"UPDATE dbos.queues SET {limits}".encode())
        connection.execute(PLANS.encode())
        text, order = numbered(statement, Schemas())
        connection.execute(b"PREPARE claim AS " + text)
        pages(connection, order)  # planned once, while there is nothing
        connection.execute(FILL.format(1_000).encode())
        small = pages(connection, order)
        connection.execute(FILL.format(100_000).encode())
        large = pages(connection, order)
    assert small > 10
    assert large <= 2 * small, (small, large)


def pages(connection: psycopg.Connection[Any], order: tuple[str, ...]) -> int:
    """Pages that the prepared statement touches; what it does is undone."""
    values = ", ".join(literal(CLAIM[name], connection) for name in order)
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE claim({values})"
    with connection.transaction(force_rollback=True):
        looks = [look(connection, explain) for _ in range(2)]
    return looks[1]  # without what a first look leaves behind: hints, pages that it split


def look(connection: psycopg.Connection[Any], explain: str) -> int:
    with connection.transaction(force_rollback=True):
        row = connection.execute(explain.encode()).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def literal(value: Any, connection: psycopg.Connection[Any]) -> str:
    return psycopg.sql.Literal(value).as_string(connection)
