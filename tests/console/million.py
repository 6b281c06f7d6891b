"""Fills a system database with a million runs, by SQL: `python -m tests.console.million URL [--runs N]`.

Mixed statuses, 50 names, 20 queues, children, attributes, users, versions and executors, created over a week,
evenly, the newest now; some with 10,000 steps. Indexes are those that DBOS made.
"""

from __future__ import annotations

import argparse
import time

import psycopg

__all__ = ["fill"]

LONG = 3  # runs that have many steps
STEPS = 10_000
CHUNK = 100_000  # runs in a transaction

QUEUES = """
    INSERT INTO dbos.queues (name, concurrency)
    SELECT 'queue-' || n, CASE WHEN mod(n, 3) = 0 THEN 10 END FROM generate_series(0, 19) n
    ON CONFLICT DO NOTHING
"""
# Of a thousand runs some 30 fail, 10 are cancelled, 1 is a dead letter; of the newest some still wait or run.
RUNS = """
    INSERT INTO dbos.workflow_status (
        workflow_uuid, status, name, queue_name, executor_id, application_version, application_id,
        authenticated_user, created_at, updated_at, started_at_epoch_ms, completed_at, recovery_attempts,
        parent_workflow_id, attributes, schedule_name, forked_from, serialization, delay_until_epoch_ms,
        owner_xid)
    SELECT 'run-' || lpad(n::text, 8, '0'), kind.status, 'workflow' || mod(n, 50),
           CASE WHEN kind.status <> 'CANCELLED' THEN 'queue-' || mod(n, 20) END,
           CASE WHEN kind.status NOT IN ('ENQUEUED', 'DELAYED') THEN 'executor-' || mod(n, 8) END,
           'v' || mod(n, 5), 'shop', CASE WHEN mod(n, 4) = 0 THEN 'user-' || mod(n, 1000) END,
           at.ms, at.ms, at.ms + 20,
           CASE WHEN kind.status NOT IN ('ENQUEUED', 'DELAYED', 'PENDING')
                THEN at.ms + 50 + mod(n * 7919, 5000) END,
           1, CASE WHEN mod(n, 10) = 1 AND n > 1 THEN 'run-' || lpad((n - 1)::text, 8, '0') END,
           CASE WHEN mod(n, 3) = 0
                THEN jsonb_build_object('customer', 'c' || mod(n, 10000), 'region', 'r' || mod(n, 7)) END,
           CASE WHEN mod(n, 500) = 7 THEN 'nightly' END,
           CASE WHEN mod(n, 2000) = 9 THEN 'run-' || lpad((n - 5)::text, 8, '0') END, 'portable_json',
           CASE WHEN kind.status = 'DELAYED' THEN at.ms + 86400000 END,
           CASE WHEN kind.status = 'PENDING' THEN 'owner-' || n END
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n,
    LATERAL (SELECT %(now)s::bigint - (%(runs)s::bigint - n) * 604800000 / %(runs)s::bigint AS ms) at,
    LATERAL (SELECT CASE
        WHEN n > %(runs)s::bigint * 0.995 AND mod(n, 3) = 0 THEN 'ENQUEUED'
        WHEN n > %(runs)s::bigint * 0.999 AND mod(n, 3) = 1 THEN 'PENDING'
        WHEN mod(n, 997) = 3 THEN 'DELAYED'
        WHEN mod(n, 1000) = 500 THEN 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'
        WHEN mod(n, 100) = 50 THEN 'CANCELLED'
        WHEN mod(n, 33) = 0 THEN 'ERROR'
        ELSE 'SUCCESS' END AS status) kind
"""
INPUTS = """
    INSERT INTO dbos.workflow_input (workflow_uuid, inputs)
    SELECT 'run-' || lpad(n::text, 8, '0'), '{"positionalArgs": [' || n || '], "namedArgs": {}}'
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n
"""
OUTPUTS = """
    INSERT INTO dbos.workflow_output (workflow_uuid, output, error)
    SELECT s.workflow_uuid, CASE WHEN s.status = 'SUCCESS' THEN '"done"' END,
           CASE WHEN s.status = 'ERROR' THEN '{"name": "ValueError", "message": "card declined"}' END
    FROM dbos.workflow_status s
    WHERE s.workflow_uuid >= 'run-' || lpad(%(first)s::text, 8, '0')
      AND s.workflow_uuid <= 'run-' || lpad(%(last)s::text, 8, '0') AND s.status IN ('SUCCESS', 'ERROR')
"""
LONG_ONES = """
    INSERT INTO dbos.operation_outputs (
        workflow_uuid, function_id, function_name, output, started_at_epoch_ms, completed_at_epoch_ms,
        serialization)
    SELECT 'run-' || lpad(run::text, 8, '0'), step, 'step' || mod(step, 12), step::text, at.ms,
           at.ms + mod(step, 90), 'portable_json'
    FROM generate_series(%(runs)s::bigint - 10 - %(long)s::bigint, %(runs)s::bigint - 11) run,
         generate_series(0, %(steps)s::bigint - 1) step,
         LATERAL (SELECT %(now)s::bigint - 3600000 + step * 100 AS ms) at
"""


def fill(url: str, runs: int = 1_000_000, *, payloads: bool = True) -> None:
    """Fill an empty system database; statistics and visibility map are fresh afterwards.

    fill("postgresql://localhost/shop_dbos_sys", 100_000)
    """
    now = round(time.time() * 1000)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(QUEUES.encode())
        for first in range(1, runs + 1, CHUNK):
            known = {"first": first, "last": min(runs, first + CHUNK - 1), "runs": runs, "now": now}
            with connection.transaction():
                connection.execute(RUNS.encode(), known)
                if payloads:
                    connection.execute(INPUTS.encode(), known)
                    connection.execute(OUTPUTS.encode(), known)
        connection.execute(LONG_ONES.encode(), {"runs": runs, "now": now, "long": LONG, "steps": STEPS})
        connection.execute("VACUUM (ANALYZE) dbos.workflow_status")
        connection.execute("ANALYZE dbos.operation_outputs")


def main() -> None:
    """Fill the database that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--runs", type=int, default=1_000_000)
    arguments = parser.parse_args()
    began = time.perf_counter()
    fill(arguments.url, arguments.runs)
    print(f"{arguments.runs:,} runs in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
