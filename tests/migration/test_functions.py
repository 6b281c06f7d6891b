"""The SQL functions do what the real ones do: the same calls on both databases, good and bad."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql

from durably.store import migrate
from durably.store.sql import Schemas
from tests.migration.catalog import rows
from tests.migration.conftest import Server, connected

Call = tuple[str, dict[str, str]]
"""A function and its arguments, each written in SQL."""

ENQUEUE: list[dict[str, str]] = [
    {"workflow_id": "'plain'"},
    {"workflow_id": "'plain'"},
    {"workflow_name": "'another'", "workflow_id": "'plain'", "positional_args": "ARRAY['7']::json[]"},
    {"workflow_id": "'plain'", "queue_name": "'another'", "deduplication_id": "'late'"},
    {},
    {
        "positional_args": """ARRAY['1', '{"a": 1,  "b":[1, 2]}', '"x"', 'null', NULL]::json[]""",
        "named_args": """'{"k" : 1, "k": "é"}'""",
        "class_name": "'C'",
        "config_name": "'i'",
        "workflow_id": "'all'",
        "app_version": "'v1'",
        "timeout_ms": "1000",
        "deadline_epoch_ms": "2000",
        "deduplication_id": "'held'",
        "priority": "7",
        "queue_partition_key": "'pk'",
        "authenticated_user": "'u'",
        "authenticated_roles": """'["r"]'""",
        "delay_until_epoch_ms": "9999999999999",
        "application_name": "'app'",
    },
    {"workflow_id": "'second'", "deduplication_id": "'held'"},
    {"deduplication_id": "'held'"},
    {"workflow_id": "'all'", "deduplication_id": "'held'"},
    {"workflow_id": "'other-queue'", "queue_name": "'other'", "deduplication_id": "'held'"},
    {"workflow_id": "'per-partition'", "queue_partition_key": "'b'", "deduplication_id": "'held'"},
    {"workflow_name": "NULL"},
    {"workflow_name": "''"},
    {"workflow_name": "' '", "workflow_id": "'blank-name'"},
    {"queue_name": "NULL"},
    {"queue_name": "''"},
    {"queue_name": "' '", "workflow_id": "'blank-queue'"},
    {"workflow_name": "NULL", "queue_name": "NULL", "workflow_id": "''"},
    {"workflow_name": "'w'", "queue_name": "''", "named_args": "'1'"},
    {"named_args": "'1'", "workflow_id": "''"},
    {"workflow_id": "''", "delay_until_epoch_ms": "-1"},
    {"named_args": "'[]'"},
    {"named_args": "'null'"},
    {"named_args": "'3'"},
    {"named_args": """'"text"'"""},
    {"named_args": "'not json'"},
    {"named_args": """'{"k": "\\u0000"}'"""},
    {"named_args": """'{"k": [{"\\u0000": 1}]}'""", "workflow_id": "''"},
    {"named_args": """'{"k": "\\ud800"}'"""},
    {"named_args": """'{"k": 1e999999}'"""},
    {"positional_args": """ARRAY['"\\u0000"', '"\\ud800"', '1e999999']::json[]""", "workflow_id": "'odd'"},
    {"named_args": "NULL", "workflow_id": "'named-null'"},
    {"positional_args": "NULL", "workflow_id": "'positional-null'"},
    {"positional_args": "NULL", "named_args": "NULL", "workflow_id": "'both-null'"},
    {"positional_args": "ARRAY[ARRAY['1','2'],ARRAY['3','4']]::json[]", "workflow_id": "'matrix'"},
    {"positional_args": "'{}'::json[]", "workflow_id": "'no-args'"},
    {"workflow_id": "''"},
    {"workflow_id": "'  '"},
    {"workflow_id": "'delay-negative'", "delay_until_epoch_ms": "-1"},
    {"workflow_id": "'delay-zero'", "delay_until_epoch_ms": "0"},
    {"workflow_id": "'timeout-zero'", "timeout_ms": "0"},
    {"workflow_id": "'timeout-negative'", "timeout_ms": "-5"},
    {"workflow_id": "'deadline-zero'", "deadline_epoch_ms": "0"},
    {"workflow_id": "'deadline-negative'", "deadline_epoch_ms": "-7"},
    {"workflow_id": "'deadline-and-timeout'", "deadline_epoch_ms": "5", "timeout_ms": "6"},
    {"workflow_id": "'priority-negative'", "priority": "-7"},
    {"workflow_id": "'priority-too-large'", "priority": "2147483648"},
    {"workflow_id": "'dedup-empty'", "deduplication_id": "''"},
    {"workflow_id": "'dedup-empty-2'", "deduplication_id": "''"},
    {
        "workflow_id": "'empty'",
        "class_name": "''",
        "config_name": "''",
        "app_version": "''",
        "queue_partition_key": "''",
        "authenticated_user": "''",
        "authenticated_roles": "''",
        "application_name": "''",
    },
    {"workflow_id": "'roles'", "authenticated_roles": "'not json'"},
    {"workflow_id": "'long-class'", "class_name": "repeat('x', 256)"},
    {"workflow_id": "'long-config'", "config_name": "repeat('x', 256)"},
    {"workflow_id": "'percent %s %% %I'", "deduplication_id": "'%s'"},
    {"workflow_id": "'percent 2'", "deduplication_id": "'%s'"},
    {"workflow_id": "'big'", "positional_args": "ARRAY[to_json(repeat('x', 1000000))]"},
    {"nonsense": "1"},
    {"attributes": "'{}'"},
]

SEND: list[dict[str, str]] = [
    {"message": """'{"x":  1}'"""},
    {"message": "'\"m\"'", "topic": "'t'", "message_id": "'mid'"},
    {"message": "'\"m2\"'", "topic": "'t'", "message_id": "'mid'"},
    {"message": "'1'", "destination_id": "'second place'", "message_id": "'mid'"},
    {"message": "'1'", "topic": "''", "message_id": "''"},
    {"message": "'null'", "topic": "'__null__topic__'"},
    {"message": "NULL"},
    {"message": "'not json'"},
    {"message": """'"\\u0000\\ud800"'"""},
    {"destination_id": "NULL"},
    {"destination_id": "''"},
    {"destination_id": "'nowhere'"},
    {"destination_id": "'nowhere'", "message_id": "'new'"},
    {"destination_id": "'nowhere %s'"},
    {"topic": "NULL", "message_id": "NULL"},
    {"nonsense": "1"},
]

CALLS: list[Call] = [
    *(("enqueue_workflow", {"workflow_name": "'w'", "queue_name": "'q'", **call}) for call in ENQUEUE),
    *(("send_message", {"destination_id": "'plain'", "message": "'1'", **call}) for call in SEND),
]


def outcome(connection: psycopg.Connection[Any], call: Call) -> tuple[Any, ...]:
    """What a call returns, or how it fails; and what it makes a listener hear."""
    function, arguments = call
    connection.execute(AGE.encode())
    written = ", ".join(f"{name} => {value}" for name, value in arguments.items())
    try:
        result = connection.execute(f"SELECT dbos.{function}({written})".encode()).fetchone()
    except psycopg.Error as error:
        found = error.diag
        return (error.sqlstate, found.message_primary, masked(found.message_detail), found.message_hint)
    touched = [masked(row) for row in connection.execute(TOUCHED.encode())]
    heard = [(notice.channel, notice.payload) for notice in connection.notifies(timeout=0)]
    return (masked(result), touched, sorted(heard))


def masked(value: Any) -> Any:
    """Without what is random or a time."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", str(value))
    return re.sub(r"\b1[6-9]\d{11}\b", "<now>", text)


AGE = "UPDATE dbos.workflow_status SET created_at = 1, updated_at = 1"
TOUCHED = "SELECT to_jsonb(w) FROM dbos.workflow_status AS w WHERE updated_at <> 1"
TABLES = ("workflow_status", "workflow_input", "notifications")


def state(url: str) -> list[Any]:
    """The rows of the three tables, in a stable order."""
    return sorted(
        masked(row) for table in TABLES for row in rows(url, f"SELECT to_jsonb(t) FROM dbos.{table} AS t")
    )


async def test_the_same_calls_have_the_same_effect(
    database: str, peer_database: Callable[[int], str]
) -> None:
    theirs = peer_database(125)
    async with connected(database) as conn:
        await migrate.migrate(conn)
    compare(theirs, database)
    assert len(rows(database, "SELECT * FROM dbos.workflow_status")) == 25
    assert len(rows(database, "SELECT * FROM dbos.notifications")) > 5


@pytest.mark.parametrize("generation", [105, 113])
async def test_so_they_have_at_the_generations_on_the_way(
    generation: int, peer_database: Callable[[int], str]
) -> None:
    ours = peer_database(100)
    async with connected(ours, autocommit=True) as conn:
        for step in migrate._migrations("dbos"):
            if step.version <= generation:
                await migrate._apply(conn, Schemas("dbos"), step)
    theirs = peer_database(generation)
    for url in (ours, theirs):  # so that one query fits all generations
        with psycopg.connect(url) as connection:
            connection.execute(
                b"CREATE TABLE IF NOT EXISTS dbos.workflow_input"
                b"(workflow_uuid text, inputs text, retention_timestamp bigint)"
            )
    compare(theirs, ours)


def compare(theirs: str, ours: str) -> None:
    with psycopg.connect(theirs, autocommit=True) as them, psycopg.connect(ours, autocommit=True) as us:
        for connection in (them, us):
            connection.execute(b"LISTEN dbos_notifications_channel")
        for call in CALLS:
            assert outcome(us, call) == outcome(them, call), call
    assert state(ours) == state(theirs)


@pytest.mark.parametrize(
    ("call", "sqlstate", "message", "detail"),
    [
        ({"workflow_name": "''"}, "P0001", "Workflow name cannot be null or empty", None),
        ({"queue_name": "NULL"}, "P0001", "Queue name cannot be null or empty", None),
        ({"named_args": "'[]'"}, "P0001", "Named args must be a JSON object", None),
        ({"workflow_id": "''"}, "P0001", "Workflow ID cannot be an empty string if provided.", None),
        ({"delay_until_epoch_ms": "-1"}, "P0001", "delay_until_epoch_ms must be >= 0", None),
        (
            {"workflow_id": "'late'", "deduplication_id": "'d'"},
            "23505",
            "DBOS queue duplicated",
            "Workflow late with queue q and deduplication ID d already exists",
        ),
    ],
)
async def test_refusals_of_enqueue_workflow(
    call: dict[str, str], sqlstate: str, message: str, detail: str | None, database: str
) -> None:
    """The same without the real package at hand."""
    async with connected(database) as conn:
        await migrate.migrate(conn)
    base = {"workflow_name": "'w'", "queue_name": "'q'"}
    with psycopg.connect(database, autocommit=True) as connection:
        first = outcome(connection, ("enqueue_workflow", {**base, "deduplication_id": "'d'"}))
        assert first[0] == "('<uuid>',)"
        refused = outcome(connection, ("enqueue_workflow", {**base, **call}))
    assert refused == (sqlstate, message, str(detail), None)
    assert len(rows(database, "SELECT * FROM dbos.workflow_status")) == 1
    assert len(rows(database, "SELECT * FROM dbos.workflow_input")) == 1


async def test_the_time_is_the_transactions(database: str) -> None:
    async with connected(database) as conn:
        await migrate.migrate(conn)
    with psycopg.connect(database) as connection:
        for number in range(30):  # rounding differs from cutting in every second millisecond
            connection.execute(b"SELECT dbos.enqueue_workflow('w', 'q', workflow_id => %s)", [str(number)])
            found = connection.execute(
                b"SELECT created_at - now_ms, updated_at - now_ms, retention_timestamp - now_ms "
                b"FROM dbos.workflow_status JOIN dbos.workflow_input USING (workflow_uuid), "
                b"LATERAL (SELECT (EXTRACT(epoch FROM now()) * 1000)::bigint AS now_ms) AS clock "
                b"WHERE workflow_uuid = %s",
                [str(number)],
            )
            assert found.fetchone() == (0, 0, 0)
            connection.commit()


async def test_an_id_that_exists_is_only_touched(database: str) -> None:
    async with connected(database) as conn:
        await migrate.migrate(conn)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(b"SELECT dbos.enqueue_workflow('w', 'q', workflow_id => 'id')")
        before = connection.execute(
            b"SELECT to_jsonb(w) - 'updated_at' FROM dbos.workflow_status AS w"
        ).fetchall()
        connection.execute(b"UPDATE dbos.workflow_status SET updated_at = 1")
        connection.execute(b"SELECT dbos.enqueue_workflow('x', 'p', workflow_id => 'id', priority => 9)")
        after = connection.execute(
            b"SELECT to_jsonb(w) - 'updated_at' FROM dbos.workflow_status AS w"
        ).fetchall()
        assert after == before
        assert connection.execute(b"SELECT updated_at > 1 FROM dbos.workflow_status").fetchall() == [(True,)]


async def test_it_runs_with_the_rights_of_the_caller(server: Server, database: str) -> None:
    async with connected(database) as conn:
        await migrate.migrate(conn)
    role = server.new_name()
    server.admin("CREATE ROLE {} LOGIN PASSWORD 'secret'", role)
    with psycopg.connect(database) as connection:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA dbos TO {}").format(sql.Identifier(role)))
    with (
        psycopg.connect(database, user=role) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(b"SELECT dbos.enqueue_workflow('w', 'q')")
    with psycopg.connect(database) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))


def test_the_masks_hide_only_what_is_random() -> None:
    facts: Mapping[str, str] = {
        "1795304343398": "<now>",
        "b6f9c813-54e9-4828-a2cc-cb3c7b1f92a2": "<uuid>",
        "9999999999999": "9999999999999",
        "plain": "plain",
    }
    assert {fact: masked(fact) for fact in facts} == facts
