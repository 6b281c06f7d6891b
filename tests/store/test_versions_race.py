"""A version that a DBOS process enters while ours does is one row, and both start."""

from __future__ import annotations

import asyncio

import psycopg

from durably.concurrency.world import RealWorld
from durably.core.ports import ExecutorIdentity
from durably.store.database import Database
from durably.store.postgres import PostgresStore
from tests.engine.support import eventually, rows

LOCK = 20_26
# An index that is filled before those that are unique, and at that holds an insert until the lock is free:
# the one moment between an insert's look for a conflict and its entry.
HOLD = (
    "CREATE FUNCTION hold(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
    f" PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN name; END $$",
    "CREATE INDEX held ON dbos.application_versions (hold(version_name))",
)
UNIQUE = (
    "SELECT i.indexname, i.indexdef, c.conname FROM pg_indexes i"
    " LEFT JOIN pg_constraint c ON c.conname = i.indexname AND c.contype = 'u'"
    " WHERE i.schemaname = 'dbos' AND i.tablename = 'application_versions'"
    " AND i.indexdef ~ '^CREATE UNIQUE' AND i.indexname !~ 'pkey'"
)
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = {}"
US = ExecutorIdentity(
    executor_id="us",
    application_name="a",
    app_version="v1",
    host="h",
    pid=1,
    process_start="p",
    lease_seconds=15.0,
)


def put_behind_the_hold(url: str) -> None:
    for statement in HOLD:
        rows(url, statement)
    for name, definition, constraint in rows(url, UNIQUE):
        drop = "ALTER TABLE dbos.application_versions DROP CONSTRAINT" if constraint else "DROP INDEX dbos."
        rows(url, f'{drop} "{name}"' if constraint else f'{drop}"{name}"')
        rows(url, str(definition))


async def test_a_version_entered_by_a_dbos_process_at_the_same_moment(database_url: str) -> None:
    put_behind_the_hold(database_url)
    database = Database(database_url, max_size=1)
    await database.open()
    try:
        with psycopg.connect(database_url) as peer:
            peer.execute(f"SELECT pg_advisory_xact_lock({LOCK})".encode())
            registering = asyncio.create_task(PostgresStore(database, "a", RealWorld()).register(US))
            await eventually(lambda: rows(database_url, WAITS.format(LOCK)) == [(1,)])
            peer.execute(
                "INSERT INTO dbos.application_versions (version_id, version_name, application_name)"
                " VALUES ('theirs', 'v1', 'a')"
            )
        await asyncio.wait_for(registering, 10)
    finally:
        await database.close()
    assert rows(database_url, "SELECT version_id, application_name FROM dbos.application_versions") == [
        ("theirs", "a")
    ]
    assert rows(database_url, "SELECT executor_id FROM durably.executors") == [("us",)]
