"""What a system database holds in the end, without what may differ between two runs of the same story."""

from __future__ import annotations

from typing import Any, TypeAlias

import psycopg

__all__ = ["Record", "checkpoints", "final_record"]

Record: TypeAlias = dict[str, list[tuple[Any, ...]]]

FRESH = ("DBOS.sleep", "DBOS.now", "DBOS.randomUUID", "DBOS.random")  # their value is another one each time

TIMED = ("DBOS.recv", "DBOS.getEvent")  # a timer has the next number

FINAL = {
    "workflows": """
        SELECT s.workflow_uuid, s.name, s.status, s.owner_xid, s.parent_workflow_id,
               i.inputs, o.output, o.error
        FROM dbos.workflow_status s LEFT JOIN dbos.workflow_input i USING (workflow_uuid)
        LEFT JOIN dbos.workflow_output o USING (workflow_uuid) ORDER BY 1""",
    "operations": """
        SELECT workflow_uuid, function_id, function_name, error, serialization, child_workflow_id,
               CASE WHEN function_name = ANY (%(fresh)s) THEN 'fresh' ELSE output END
        FROM dbos.operation_outputs o
        WHERE NOT (function_name = 'DBOS.sleep' AND EXISTS (  -- there only if it had to wait
            SELECT FROM dbos.operation_outputs w WHERE w.workflow_uuid = o.workflow_uuid
            AND w.function_id = o.function_id - 1 AND w.function_name = ANY (%(timed)s)))
        ORDER BY 1, 2""",
    "messages": """
        SELECT destination_uuid, topic, message, consumed, consumed_by_function_id
        FROM dbos.notifications ORDER BY 1, 2, 5, 3""",
    "events": "SELECT workflow_uuid, key, value FROM dbos.workflow_events ORDER BY 1, 2",
    "history": """
        SELECT workflow_uuid, function_id, key, value FROM dbos.workflow_events_history ORDER BY 1, 2, 3""",
    "streams": 'SELECT workflow_uuid, key, "offset", function_id, value FROM dbos.streams ORDER BY 1, 2, 3',
}
CHECKPOINTS = """
    SELECT regexp_replace(workflow_uuid, '/[0-9]+$', ''), -- a generation that ends moves to another id
           function_id, function_name, output, error, completed_at_epoch_ms
    FROM dbos.operation_outputs ORDER BY 1, 2"""


def final_record(url: str) -> Record:
    """Everything that must be the same, however often the process died."""
    with psycopg.connect(url) as connection:
        return {
            what: connection.execute(query.encode(), {"fresh": list(FRESH), "timed": list(TIMED)}).fetchall()
            for what, query in FINAL.items()
        }


def checkpoints(url: str) -> set[tuple[Any, ...]]:
    """Every recorded operation, to the millisecond: what is here once is never written again."""
    with psycopg.connect(url) as connection:
        return set(connection.execute(CHECKPOINTS.encode()).fetchall())
