"""What raw SQL does on the same tables: `python -m bench.limits drain|steps|serial|enqueue|bulk URL N`.

The limit of a workload is the least that any engine has to write, with one blocking connection: the claim,
the fenced step and the outcome in batches of 500 (drain), fenced steps in batches of 40 (steps), one fenced
step per commit (serial), a status and an input row per commit (enqueue) or 500 of each (bulk).
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg

Connection = psycopg.Connection[Any]

CREATE = """
WITH given AS (SELECT unnest(%(ids)s::text[]) AS id), made AS (
    INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, serialization, creator_xid,
                                      owner_xid)
    SELECT id, %(status)s, 'one_step', 'bench', 'portable_json', id, %(owner)s FROM given)
INSERT INTO dbos.workflow_input (workflow_uuid, inputs)
SELECT id, '{"namedArgs":{},"positionalArgs":[1]}' FROM given
"""
CLAIM = """
UPDATE dbos.workflow_status s
SET status = 'PENDING', owner_xid = 'me', executor_id = 'me', application_version = '1',
    started_at_epoch_ms = 1, recovery_attempts = recovery_attempts + 1, updated_at = 1
WHERE workflow_uuid IN (
    SELECT workflow_uuid FROM dbos.workflow_status
    WHERE queue_name = 'bench' AND status = 'ENQUEUED' AND status IN ('ENQUEUED', 'PENDING')
    ORDER BY priority, created_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING workflow_uuid
"""
STEP = """
WITH owned AS (
    SELECT workflow_uuid FROM dbos.workflow_status
    WHERE workflow_uuid = ANY (%(ids)s) AND owner_xid = 'me' FOR NO KEY UPDATE)
INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output, serialization,
                                    started_at_epoch_ms, completed_at_epoch_ms)
SELECT workflow_uuid, %(number)s, 'add', '2', 'portable_json', 1, 2 FROM owned
"""
FINISH = """
WITH ended AS (
    UPDATE dbos.workflow_status SET status = 'SUCCESS', owner_xid = NULL, updated_at = 3, completed_at = 3
    WHERE workflow_uuid = ANY (%(ids)s) AND status = 'PENDING' AND owner_xid = 'me' RETURNING workflow_uuid)
INSERT INTO dbos.workflow_output (workflow_uuid, output) SELECT workflow_uuid, '2' FROM ended
"""


def _create(connection: Connection, count: int, *, pending: bool = False) -> list[str]:
    ids = [str(uuid.uuid4()) for _ in range(count)]
    status, owner = ("PENDING", "me") if pending else ("ENQUEUED", None)
    connection.execute(CREATE, {"ids": ids, "status": status, "owner": owner})
    return ids


def drain(connection: Connection, n: int) -> None:
    while claimed := connection.execute(CLAIM, {"most": 500}).fetchall():
        ids = [row[0] for row in claimed]
        connection.execute(STEP, {"ids": ids, "number": 1})
        connection.execute(FINISH, {"ids": ids})


def steps(connection: Connection, n: int) -> None:
    ids = _create(connection, 40, pending=True)
    for number in range(n // 40):
        connection.execute(STEP, {"ids": ids, "number": number})


def serial(connection: Connection, n: int) -> None:
    ids = _create(connection, 1, pending=True)
    for number in range(n):
        connection.execute(STEP, {"ids": ids, "number": number})


def enqueue(connection: Connection, n: int) -> None:
    for _ in range(n):
        _create(connection, 1)


def bulk(connection: Connection, n: int) -> None:
    for _ in range(n // 500):
        _create(connection, 500)


WORKLOADS: dict[str, Callable[[Connection, int], None]] = {
    "drain": drain,
    "steps": steps,
    "serial": serial,
    "enqueue": enqueue,
    "bulk": bulk,
}


def main() -> None:
    """Measure once and print one JSON line: operations per second."""
    workload, url, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with psycopg.connect(url, autocommit=True) as connection:
        if workload == "drain":
            _create(connection, n)
        began = time.perf_counter()
        WORKLOADS[workload](connection, n)
        print(json.dumps({"value": n / (time.perf_counter() - began)}))


if __name__ == "__main__":
    main()
