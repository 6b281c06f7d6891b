"""Bringing a database up: with data in it, interrupted, in a crowd, in the way of others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import Any

import psycopg
import pytest

from durably.errors import DatabaseError, WrongContext
from durably.store import migrate
from durably.store.sql import Schemas
from tests.migration.catalog import catalog, difference, rows
from tests.migration.conftest import Connection, Peer, Server, connected, database_name
from tests.migration.test_functions import masked

Catalog = Callable[[int], dict[str, str]]
Database = Callable[[int], str]

DATA = """
INSERT INTO dbos.workflow_status (workflow_uuid, status, name, inputs, output, queue_name)
VALUES ('old', 'SUCCESS', 'w', '[1]', '2', 'q'), ('waiting', 'ENQUEUED', 'w', '[3]', NULL, 'q');
INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output, completed_at_epoch_ms)
VALUES ('old', 1, 'step', '2', 1700000000000);
INSERT INTO dbos.notifications (message_uuid, destination_uuid, topic, message)
VALUES ('m', 'waiting', 't', '1');
INSERT INTO dbos.workflow_events (workflow_uuid, key, value) VALUES ('old', 'k', '1');
INSERT INTO dbos.streams (workflow_uuid, key, value, "offset") VALUES ('old', 'k', '1', 0);
INSERT INTO dbos.queues (queue_id, name, concurrency) VALUES ('i', 'q', 3);
INSERT INTO dbos.application_versions (version_id, version_name) VALUES ('i', 'v1');
INSERT INTO dbos.workflow_schedules (schedule_id, schedule_name, workflow_name, schedule, context)
VALUES ('i', 's', 'w', '* * * * *', 'null');
"""


def contents(url: str) -> dict[str, list[Any]]:
    """Every row of every table."""
    return {
        table: sorted(masked(row) for row in rows(url, f"SELECT to_jsonb(t) FROM dbos.{table} AS t"))
        for table in migrate._expected_columns()
    }


async def migrated(url: str) -> migrate.SchemaState:
    async with connected(url) as conn:
        return await migrate.migrate(conn)


async def test_rows_become_what_dbos_makes_of_them(
    server: Server, peer_database: Database, peer: Peer
) -> None:
    ours, theirs = peer_database(100), peer_database(100)
    for url in (ours, theirs):
        with psycopg.connect(url) as connection:
            connection.execute(DATA.encode())
    name = database_name(theirs)
    server.made.append(f"{name}_125")
    peer("peer_migrate.py", server.dsn, name, "dbos", "yes", "125")
    await migrated(ours)
    assert contents(ours) == contents(theirs)
    assert all(
        contents(ours)[table] for table in ("workflow_status", "operation_outputs", "queues", "streams")
    )


async def test_a_second_time_nothing_happens(database: str) -> None:
    first = await migrated(database)
    oids = rows(
        database,
        "SELECT oid, relname, xmin FROM pg_class WHERE relnamespace = 'dbos'::regnamespace ORDER BY 1",
    )
    assert await migrated(database) == first
    assert oids == rows(
        database,
        "SELECT oid, relname, xmin FROM pg_class WHERE relnamespace = 'dbos'::regnamespace ORDER BY 1",
    )


async def test_whatever_was_cut_short_is_taken_up_again(
    peer_database: Database, peer_catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt dies between a step and the record of it."""
    url, ask, died = peer_database(100), migrate._ask, set[int]()

    async def dying(conn: Connection, query: str, names: Schemas | None = None, **values: Any) -> Any:
        if query == "dbos_set_version" and values["version"] not in died:
            died.add(values["version"])
            raise ConnectionResetError(values["version"])
        return await ask(conn, query, names, **values)

    monkeypatch.setattr(migrate, "_ask", dying)
    for generation in range(101, 126):
        with pytest.raises(ConnectionResetError, match=str(generation)):
            await migrated(url)
        assert rows(url, "SELECT version FROM dbos.dbos_migrations") == [(generation - 1,)]
    assert (await migrated(url)).generation == 125
    assert difference(peer_catalog(125), catalog(url)) == {}


async def test_the_number_never_goes_down(database: str) -> None:
    """Somebody who takes no lock may be faster."""
    await migrated(database)
    async with connected(database, autocommit=True) as conn:
        for version, after in ((124, 125), (130, 130), (125, 130)):
            await migrate._ask(conn, "dbos_set_version", Schemas("dbos"), version=version)
            assert rows(database, "SELECT version FROM dbos.dbos_migrations") == [(after,)]


async def test_tables_that_appear_under_our_hands(
    database: str, peer_catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TypeScript application takes no lock: here it has created everything after we looked."""
    create = migrate._create

    async def too_late(conn: Connection, names: Schemas, listen_notify: bool) -> None:
        async with connected(database) as other:
            await create(other, names, listen_notify)
        await create(conn, names, listen_notify)

    monkeypatch.setattr(migrate, "_create", too_late)
    assert (await migrated(database)).generation == 125
    assert difference(peer_catalog(125), catalog(database)) == {}


async def test_creating_is_all_or_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = migrate._ask

    async def dying(conn: Connection, query: str, names: Schemas | None = None, **values: Any) -> Any:
        if query == "dbos_set_version":
            raise ConnectionResetError
        return await ask(conn, query, names, **values)

    with monkeypatch.context() as patch, pytest.raises(ConnectionResetError):
        patch.setattr(migrate, "_ask", dying)
        await migrated(database)
    assert catalog(database) == {}
    assert (await migrated(database)).generation == 125


@pytest.mark.parametrize("generation", [110, 114, 118])
async def test_a_dead_index_is_built_again(
    generation: int, peer_database: Database, peer_catalog: Catalog
) -> None:
    url = peer_database(generation)
    step = next(step for step in migrate._migrations("dbos") if step.version == generation + 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(step.text.replace("{schema}", "dbos").encode())
        connection.execute(
            b"UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)",
            [f"dbos.{step.creates_index}"],
        )
    assert "valid f" in catalog(url)[f"index {step.creates_index}"]
    await migrated(url)
    assert difference(peer_catalog(125), catalog(url)) == {}


@pytest.mark.parametrize("generation", [None, 100, 123])
async def test_ten_at_once(
    generation: int | None, server: Server, peer_database: Database, peer_catalog: Catalog
) -> None:
    url = server.create() if generation is None else peer_database(generation)
    states = await asyncio.gather(*(migrated(url) for _ in range(10)))
    assert set(states) == {migrate.SchemaState(True, 125, migrate.KNOWN_EXTENSION, True, ())}
    assert difference(peer_catalog(125), catalog(url)) == {}


async def test_at_once_with_real_applications(database: str, peer: Peer, peer_catalog: Catalog) -> None:
    launches = [asyncio.to_thread(peer, "peer_launch.py", database, "dbos") for _ in range(2)]
    done = await asyncio.gather(*launches, *(migrated(database) for _ in range(3)))
    assert [line for line in done[:2] if "result 12" not in str(line)] == []
    assert difference(peer_catalog(125), catalog(database)) == {}


async def test_a_real_application_works_on_our_database(database: str, peer: Peer) -> None:
    await migrated(database)
    before = catalog(database)
    assert "result 12" in await asyncio.to_thread(peer, "peer_launch.py", database, "dbos")
    assert difference(before, catalog(database)) == {}
    assert rows(database, "SELECT version FROM dbos.dbos_migrations") == [(125,)]
    assert rows(database, "SELECT status, application_version FROM dbos.workflow_status") == [
        ("SUCCESS", "v1")
    ]


TYPESCRIPT = Path(__file__).resolve().parents[1] / "interop" / "apps" / "typescript"
LAUNCH = """
const {DBOS} = require('@dbos-inc/dbos-sdk');
DBOS.setConfig({name: 'launcher', systemDatabaseUrl: process.argv[1], runAdminServer: false});
DBOS.launch().then(() => DBOS.shutdown()).then(() => process.exit(0));
"""


async def test_a_database_made_by_typescript_is_brought_up(database: str, peer_catalog: Catalog) -> None:
    node = which("node")
    if node is None or not (TYPESCRIPT / "node_modules" / "@dbos-inc").exists():
        pytest.skip("no real @dbos-inc/dbos-sdk here: run `make peers`")
    url = f"{database}?sslmode=disable"
    for generation in (123, 125):  # it makes 123; on 125 it works and leaves it
        process = await asyncio.create_subprocess_exec(
            node, "-e", LAUNCH, url, cwd=TYPESCRIPT, stdout=-1, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        assert rows(database, "SELECT version FROM dbos.dbos_migrations") == [(generation,)]
        await migrated(database)
        assert difference(peer_catalog(125), catalog(database)) == {}


async def test_a_held_lock_is_named(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "_LOCK_SECONDS", 0.2)
    async with connected(database, autocommit=True) as holder:
        await holder.execute(b"SELECT pg_advisory_lock(1234567890)")
        with pytest.raises(DatabaseError, match=str(holder.info.backend_pid)):
            await migrated(database)
    assert catalog(database) == {}


async def test_who_has_nothing_to_do_needs_no_lock(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state = await migrated(database)
    monkeypatch.setattr(migrate, "_LOCK_SECONDS", 0.2)
    async with connected(database, autocommit=True) as holder:
        await holder.execute(b"SELECT pg_advisory_lock(1234567890)")
        assert await migrated(database) == state


async def test_the_lock_is_given_back(database: str, peer_database: Database) -> None:
    for url in (database, peer_database(99)):  # one that works, one that is refused
        async with connected(url) as conn:
            try:
                await migrate.migrate(conn)
            except DatabaseError:
                pass
            assert rows(url, "SELECT pg_try_advisory_lock(1234567890)") == [(True,)]


async def test_a_locked_table_stops_it_before_everybody_queues(
    peer_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_TABLE_LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(migrate, "_TABLE_LOCK_PAUSES", (0.01,))
    url = peer_database(122)
    async with connected(url) as reader:
        await reader.execute(b"SELECT count(*) FROM dbos.workflow_status")
        with pytest.raises(DatabaseError, match="cannot be migrated to 123: long transactions hold"):
            await migrated(url)
    assert (await migrated(url)).generation == 125


async def test_it_goes_on_when_the_table_is_free(
    peer_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, refused = peer_database(122), asyncio.Event()
    monkeypatch.setattr(migrate, "_TABLE_LOCK_TIMEOUT", "50ms")
    sleep = asyncio.sleep

    async def told(seconds: float) -> None:
        refused.set()
        await sleep(0)

    async with connected(url) as reader:
        await reader.execute(b"SELECT count(*) FROM dbos.workflow_status")
        monkeypatch.setattr(migrate, "_TABLE_LOCK_PAUSES", (0.01,) * 1000)
        monkeypatch.setattr(asyncio, "sleep", told)
        migrating = asyncio.create_task(migrated(url))
        await refused.wait()
        await reader.rollback()
        assert (await migrating).generation == 125


async def test_the_connection_is_left_as_it_was(database: str) -> None:
    async with connected(database) as conn:
        await conn.execute(b"SET statement_timeout = '1h'; SET lock_timeout = '7s'")
        await conn.commit()
        await migrate.migrate(conn)
        assert not conn.autocommit
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        cursor = await conn.execute(
            b"SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
        )
        assert await cursor.fetchone() == ("1h", "7s")


async def test_a_roles_statement_timeout_does_not_stop_it(peer_database: Database) -> None:
    url = peer_database(100)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            b"INSERT INTO dbos.operation_outputs (workflow_uuid, function_id) "
            b"SELECT workflow_uuid, n FROM generate_series(1, 60000) n, "
            b"dbos.enqueue_workflow('w', 'q') AS workflow_uuid"
        )
    async with connected(url, options="-c statement_timeout=20") as conn:
        await conn.execute(b"SET statement_timeout = 0")
        await conn.commit()
        await conn.execute(b"SET statement_timeout = 20")
        await conn.commit()
        assert (await migrate.migrate(conn)).generation == 125


async def test_not_inside_a_transaction(database: str) -> None:
    async with connected(database) as conn:
        await conn.execute(b"SELECT 1")
        with pytest.raises(WrongContext, match="commit first"):
            await migrate.migrate(conn)
    assert catalog(database) == {}


async def test_the_row_factory_of_the_connection_does_not_matter(database: str) -> None:
    async with connected(database, row_factory=psycopg.rows.dict_row) as conn:
        assert (await migrate.migrate(conn)).generation == 125
        assert (await migrate.check(conn, need_extension=True)).generation == 125
