"""What `migrate` makes is what the real package makes."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from durably.store import migrate
from durably.store.sql import Schemas
from tests.migration.catalog import bodies, catalog, difference, rows
from tests.migration.conftest import GENERATIONS, Peer, Server, connected

ODD_NAMES = [
    'My Schema"x',
    "a%b's",
    "{extension}",
    "back\\slash",
    "schéma",
    "public",
    "x" * 55,
]


async def migrated(url: str, schema: str = "dbos", *, listen_notify: bool = True) -> migrate.SchemaState:
    async with connected(url) as conn:
        return await migrate.migrate(conn, schema, listen_notify=listen_notify)


async def test_a_fresh_database_is_the_one_that_dbos_makes(
    database: str, peer_catalog: Callable[[int], dict[str, str]]
) -> None:
    state = await migrated(database)
    assert difference(peer_catalog(125), catalog(database)) == {}
    assert rows(database, "SELECT version FROM dbos.dbos_migrations") == [(125,)]
    assert state == migrate.SchemaState(True, 125, migrate.KNOWN_EXTENSION, True, ())


async def test_without_listen_notify_it_is_still_the_same(server: Server, database: str, peer: Peer) -> None:
    theirs = server.new_name()
    server.admin("CREATE DATABASE {}", theirs)
    server.made.append(f"{theirs}_125")
    peer("peer_migrate.py", server.dsn, theirs, "dbos", "no", "125")
    state = await migrated(database, listen_notify=False)
    assert difference(catalog(server.url(theirs)), catalog(database)) == {}
    assert not state.has_notify_trigger
    assert "function notifications_function()" not in catalog(database)


async def test_migrating_again_adds_no_trigger_to_a_database_without(database: str) -> None:
    await migrated(database, listen_notify=False)
    before = catalog(database)
    await migrated(database, listen_notify=True)
    assert difference(before, catalog(database)) == {}


@pytest.mark.parametrize("generation", [generation for generation in GENERATIONS if generation < 125])
async def test_an_older_generation_is_brought_up(
    generation: int, peer_database: Callable[[int], str], peer_catalog: Callable[[int], dict[str, str]]
) -> None:
    url = peer_database(generation)
    state = await migrated(url)
    assert difference(peer_catalog(125), catalog(url)) == {}
    assert rows(url, "SELECT version FROM dbos.dbos_migrations") == [(125,)]
    assert state.generation == 125


async def test_every_step_makes_the_generation_that_dbos_has_there(
    peer_database: Callable[[int], str], peer_catalog: Callable[[int], dict[str, str]]
) -> None:
    """So that a real application can go on wherever we stop."""
    url = peer_database(100)
    async with connected(url, autocommit=True) as conn:
        for step in migrate._migrations("dbos"):
            await migrate._apply(conn, Schemas("dbos"), step)
            assert difference(peer_catalog(step.version), catalog(url)) == {}, step.version
            assert rows(url, "SELECT version FROM dbos.dbos_migrations") == [(step.version,)]


def test_there_is_one_step_for_each_generation() -> None:
    assert [step.version for step in migrate._migrations("dbos")] == list(range(101, 126))
    assert [step.version for step in migrate._migrations("durably")] == [
        *range(1, migrate.KNOWN_EXTENSION + 1)
    ]


async def test_a_migrated_database_has_the_functions_of_a_fresh_one(
    database: str, peer_database: Callable[[int], str]
) -> None:
    await migrated(database)
    old = peer_database(100)
    await migrated(old)
    assert bodies(old)["enqueue_workflow"] == bodies(database)["enqueue_workflow"]


@pytest.mark.parametrize("schema", ODD_NAMES)
async def test_any_schema_name_will_do(schema: str, server: Server) -> None:
    plain, odd = server.create(), server.create()
    await migrated(plain)
    await migrated(odd, schema)
    assert difference(without_acl(catalog(plain)), without_acl(catalog(odd, schema))) == {}
    assert await migrated(odd, schema) == migrate.SchemaState(True, 125, migrate.KNOWN_EXTENSION, True, ())
    with psycopg.connect(odd) as connection:
        connection.execute(b"SELECT set_config('search_path', quote_ident(%s), false)", [schema])
        connection.execute(b"SELECT enqueue_workflow('w', 'q', workflow_id => 'id', deduplication_id => 'd')")
        connection.execute(b"SELECT send_message('id', '1')")
        assert connection.execute(b"SELECT inputs FROM workflow_input").fetchall() == [
            ('{"positionalArgs" : [], "namedArgs" : {}}',)
        ]


def without_acl(facts: dict[str, str]) -> dict[str, str]:
    """`public` belongs to the server, with its own rights."""
    return {what: definition for what, definition in facts.items() if what != "schema"}


async def test_dbos_makes_the_same_in_a_schema_of_another_name(
    server: Server, database: str, peer: Peer
) -> None:
    theirs = server.new_name()
    server.admin("CREATE DATABASE {}", theirs)
    server.made.append(f"{theirs}_125")
    peer("peer_migrate.py", server.dsn, theirs, 'My Schema"x', "yes", "125")
    await migrated(database, 'My Schema"x')
    assert difference(catalog(server.url(theirs), 'My Schema"x'), catalog(database, 'My Schema"x')) == {}


@pytest.mark.parametrize("schema", ['My Schema"x', "a%b's"])
async def test_an_older_generation_in_a_schema_of_another_name(
    schema: str, database: str, peer_database: Callable[[int], str]
) -> None:
    url = peer_database(100)
    with psycopg.connect(url) as connection:
        connection.execute(
            psycopg.sql.SQL("ALTER SCHEMA dbos RENAME TO {}").format(psycopg.sql.Identifier(schema))
        )
    await migrated(url, schema)
    await migrated(database, schema)
    assert difference(catalog(database, schema), catalog(url, schema)) == {}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("DROP INDEX dbos.idx_workflow_topic", "index idx_workflow_topic"),
        ("ALTER TABLE dbos.streams ALTER function_id SET DEFAULT 1", "columns of streams"),
        ("ALTER TABLE dbos.notifications ALTER message DROP NOT NULL", "columns of notifications"),
        ("ALTER TABLE dbos.queues ALTER name TYPE varchar(9)", "columns of queues"),
        ("ALTER TABLE dbos.queues DROP COLUMN concurrency, ADD COLUMN concurrency int", "columns of queues"),
        (
            "ALTER TABLE dbos.queues DROP CONSTRAINT queues_name_key",
            "constraint queues_name_key of {schema}.queues",
        ),
        ("DROP TRIGGER dbos_notifications_trigger ON dbos.notifications", None),
        ("ALTER FUNCTION dbos.send_message SECURITY DEFINER", None),
        ("ALTER FUNCTION dbos.send_message RESET search_path", None),
        ("ALTER FUNCTION dbos.send_message STABLE", None),
        ("CREATE TABLE dbos.more ()", "relation more"),
        ("GRANT SELECT ON dbos.queues TO PUBLIC", "relation queues"),
    ],
)
async def test_the_comparison_sees_a_change(change: str, what: str | None, database: str) -> None:
    await migrated(database)
    before = catalog(database)
    with psycopg.connect(database) as connection:
        connection.execute(change.encode())
    found = difference(before, catalog(database))
    assert found
    assert what is None or what in found


async def test_the_extension_schema(database: str) -> None:
    await migrated(database)
    columns = (
        "SELECT column_name, data_type, is_nullable = 'NO', column_default FROM information_schema.columns "
        "WHERE table_schema = 'durably' AND table_name = %(table)s ORDER BY ordinal_position"
    )
    moment = "timestamp with time zone"
    assert rows(database, columns, table="executors") == [
        ("executor_id", "text", True, None),
        ("application_name", "text", True, None),
        ("application_version", "text", True, None),
        ("host", "text", True, None),
        ("pid", "integer", False, None),
        ("process_start", "text", False, None),
        ("started_at", moment, False, "now()"),
        ("heartbeat_at", moment, False, None),
        ("expires_at", moment, True, None),
        ("lease_seconds", "double precision", True, None),
        ("stopped_at", moment, False, None),
        ("on_trial", "text", False, None),
    ]
    assert rows(database, columns, table="workflow_limits") == [
        ("workflow_uuid", "text", True, None),
        ("max_recovery_attempts", "integer", True, None),
    ]
    assert [row[0] for row in rows(database, columns, table="queue_controls")] == [
        "queue_name",
        "executor_id",
        "reason",
        "paused_at",
        "paused_by",
    ]
    assert rows(database, columns, table="queue_starts") == [
        ("queue_name", "text", True, None),
        ("started_at_epoch_ms", "bigint", True, None),
        ("workflow_uuid", "text", True, None),
        ("queue_partition_key", "text", False, None),
    ]
    facts = catalog(database, "durably")
    assert facts["constraint executors_pkey of {schema}.executors"].startswith("PRIMARY KEY (executor_id)")
    assert facts["constraint workflow_limits_pkey of {schema}.workflow_limits"].startswith("PRIMARY KEY")
    assert "(application_name, expires_at)" in facts["index executors_expiry_index"]
    assert rows(database, "SELECT version FROM durably.migrations ORDER BY 1") == [
        (n,) for n in range(1, migrate.KNOWN_EXTENSION + 1)
    ]


async def test_the_extension_of_another_schema_has_its_name(database: str) -> None:
    await migrated(database, "orders")
    assert "relation executors" in catalog(database, "orders_durably")
    assert catalog(database, "durably") == {}


async def test_the_columns_that_are_checked_are_all_that_are_used(database: str) -> None:
    await migrated(database)
    there = rows(
        database, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'dbos'"
    )
    checked = {
        (table, column) for table, columns in migrate._expected_columns().items() for column in columns
    }
    unused = {(table, column) for table, column in there if table == "event_dispatch_kv"}
    assert checked == set(there) - unused - {("workflow_status", "request")}
    assert unused
