"""What is not a system database that we can use is refused, with what to do, and left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
from psycopg import sql

from durably.errors import (
    ConfigurationError,
    DatabaseError,
    InvalidOption,
    NotASystemDatabase,
    SchemaTooNew,
    SchemaTooOld,
)
from durably.store import migrate
from tests.migration.catalog import catalog, difference, rows
from tests.migration.conftest import Connection, Server, connected, database_name

Database = Callable[[int], str]


async def checked(url: str, schema: str = "dbos", *, need_extension: bool = False) -> migrate.SchemaState:
    async with connected(url) as conn:
        return await migrate.check(conn, schema, need_extension=need_extension)


async def migrated(url: str, schema: str = "dbos") -> migrate.SchemaState:
    async with connected(url) as conn:
        return await migrate.migrate(conn, schema)


def change(url: str, statements: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statements.encode())


@pytest.fixture
async def ours(database: str) -> AsyncIterator[str]:
    """A current system database."""
    await migrated(database)
    yield database


@pytest.mark.parametrize("generation", [47, 99])
async def test_before_100_is_refused(
    generation: int, peer_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "_SETTLING_PAUSE", 0)
    url = peer_database(generation)
    before = catalog(url)
    for attempt in (checked, migrated):
        with pytest.raises(
            SchemaTooOld, match=r"application's own DBOS .* run its `dbos migrate`"
        ) as refusal:
            await attempt(url)
        assert refusal.value.found == generation
        assert database_name(url) in str(refusal.value)
        assert "secret" not in str(refusal.value)
    assert difference(before, catalog(url)) == {}


async def test_below_100_but_moving_is_waited_for(
    peer_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TypeScript application migrates without the lock."""
    url, pauses = peer_database(124), iter(range(97, 101))

    async def others_turn(_: float) -> None:
        version = next(pauses)
        change(url, f"UPDATE dbos.dbos_migrations SET version = {124 if version == 100 else version}")

    change(url, "UPDATE dbos.dbos_migrations SET version = 96")
    monkeypatch.setattr(asyncio, "sleep", others_turn)
    assert (await migrated(url)).generation == 125


@pytest.mark.parametrize("generation", [100, 122])
async def test_before_123_has_to_be_migrated(generation: int, peer_database: Database) -> None:
    with pytest.raises(SchemaTooOld, match="`durably db migrate`") as refusal:
        await checked(peer_database(generation))
    assert (refusal.value.found, refusal.value.needed) == (generation, 123)


@pytest.mark.parametrize("generation", [123, 124, 125])
async def test_from_123_on_a_client_works(generation: int, peer_database: Database) -> None:
    url = peer_database(generation)
    assert await checked(url) == migrate.SchemaState(True, generation, None, True, ())
    with pytest.raises(SchemaTooOld, match=r'lacks what durably.s applications need .*"durably"'):
        await checked(url, need_extension=True)


async def test_a_newer_generation_is_used_as_it_is(ours: str) -> None:
    change(
        ours,
        "UPDATE dbos.dbos_migrations SET version = 140; CREATE TABLE dbos.more (); "
        "ALTER TABLE dbos.workflow_status ADD COLUMN more text, DROP COLUMN request",
    )
    before = catalog(ours)
    assert (await checked(ours, need_extension=True)).generation == 140
    assert (await migrated(ours)).generation == 140
    assert difference(before, catalog(ours)) == {}
    assert rows(ours, "SELECT version FROM dbos.dbos_migrations") == [(140,)]


async def test_a_newer_generation_without_what_we_use_is_refused(ours: str) -> None:
    change(
        ours, "UPDATE dbos.dbos_migrations SET version = 140; ALTER TABLE dbos.queues DROP COLUMN concurrency"
    )
    for attempt in (checked, migrated):
        with pytest.raises(SchemaTooNew, match="table queues lacks concurrency; upgrade durably") as refusal:
            await attempt(ours)
        assert (refusal.value.found, refusal.value.known) == (140, 125)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DROP TABLE dbos.streams", "table streams is missing"),
        (
            "ALTER TABLE dbos.workflow_status DROP COLUMN creator_xid",
            "table workflow_status lacks creator_xid",
        ),
        ("ALTER TABLE dbos.workflow_status ADD COLUMN shard_key text", "shard_key.*enterprise"),
        ("DROP TABLE dbos.dbos_migrations", "but no dbos_migrations: part of a restored dump"),
    ],
)
async def test_a_damaged_database_is_refused(damage: str, said: str, ours: str) -> None:
    change(ours, damage)
    before = catalog(ours)
    for attempt in (checked, migrated):
        with pytest.raises(NotASystemDatabase, match=said) as refusal:
            await attempt(ours)
        assert database_name(ours) in str(refusal.value)
    assert difference(before, catalog(ours)) == {}


async def test_an_old_database_that_is_incomplete_is_refused(peer_database: Database) -> None:
    url = peer_database(122)
    change(url, "DROP TABLE dbos.workflow_status CASCADE")
    with pytest.raises(NotASystemDatabase, match="only a part of a system database"):
        await migrated(url)


async def test_an_empty_database_is_not_one_yet(database: str) -> None:
    change(database, "CREATE TABLE notifications (); CREATE SCHEMA dbos; CREATE TABLE dbos.mine ()")
    with pytest.raises(NotASystemDatabase, match=r"holds no DBOS tables.*_dbos_sys"):
        await checked(database)
    assert (await migrated(database)).generation == 125


async def test_somebody_elses_tables_are_left_alone(database: str) -> None:
    change(database, "CREATE TABLE queues (mine int); CREATE TABLE notifications ()")
    for attempt in (checked, migrated):
        with pytest.raises(NotASystemDatabase, match=r"notifications, queues .*choose another schema"):
            await attempt(database, "public")
    assert (await migrated(database)).generation == 125


async def test_a_launch_that_died_at_once_is_taken_up(database: str) -> None:
    change(
        database,
        "CREATE SCHEMA dbos; CREATE TABLE dbos.dbos_migrations (version bigint NOT NULL PRIMARY KEY)",
    )
    with pytest.raises(NotASystemDatabase, match="holds no DBOS tables"):
        await checked(database)
    assert (await migrated(database)).generation == 125


async def test_tables_dropped_but_not_the_number(database: str) -> None:
    change(
        database,
        "CREATE SCHEMA dbos; CREATE TABLE dbos.dbos_migrations (version bigint NOT NULL PRIMARY KEY); "
        "INSERT INTO dbos.dbos_migrations VALUES (125)",
    )
    for attempt in (checked, migrated):
        with pytest.raises(NotASystemDatabase, match="table workflow_status is missing"):
            await attempt(database)


@pytest.mark.parametrize(
    ("schema", "hint"),
    [
        ("", "not a name"),
        ("a\0b", "not a name"),
        ("pg_mine", "not a name"),
        ("x$body$y", "not a name"),
        ("x" * 56, "55 bytes"),
        ("é" * 28, "55 bytes"),
    ],
)
async def test_a_name_that_is_none(schema: str, hint: str, database: str) -> None:
    for attempt in (checked, migrated):
        with pytest.raises(InvalidOption, match=hint):
            await attempt(database, schema)


# --------------------------------------------------------------------------------------------- roles


@pytest.fixture
async def role(server: Server, ours: str) -> AsyncIterator[str]:
    """A role that has no right anywhere."""
    name = server.new_name()
    server.admin("CREATE ROLE {} LOGIN PASSWORD 'secret'", name)
    yield name
    with psycopg.connect(ours) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name)))


def grant(url: str, rights: str, role: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.SQL(rights), sql.Identifier(role)))


async def as_role(url: str, role: str, attempt: Callable[[Connection], object]) -> object:
    async with connected(url, user=role) as conn:
        return await attempt(conn)  # type: ignore[misc]


async def test_a_client_that_may_not_read_the_number(ours: str, role: str) -> None:
    grant(ours, "USAGE ON SCHEMA dbos", role)
    grant(ours, "SELECT ON dbos.workflow_status", role)
    assert await as_role(ours, role, migrate.check) == migrate.SchemaState(True, None, None, True, ())


async def test_a_client_that_may_not_read_the_number_still_learns_what_is_missing(
    ours: str, role: str
) -> None:
    change(ours, "ALTER TABLE dbos.queues DROP COLUMN concurrency")
    with pytest.raises(NotASystemDatabase, match="table queues lacks concurrency"):
        await as_role(ours, role, migrate.check)


async def test_a_worker_without_rights_to_create_launches_on_a_current_database(ours: str, role: str) -> None:
    grant(ours, "USAGE ON SCHEMA dbos, durably", role)
    grant(ours, "SELECT ON ALL TABLES IN SCHEMA dbos, durably", role)
    assert await as_role(ours, role, migrate.migrate) == migrate.SchemaState(
        True, 125, migrate.KNOWN_EXTENSION, True, ()
    )


async def test_a_worker_that_may_not_read_the_number_launches_too(
    ours: str, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose number it may not read, that it does not migrate: it does not even try for the lock."""
    grant(ours, "USAGE ON SCHEMA dbos, durably", role)
    grant(ours, "SELECT ON ALL TABLES IN SCHEMA durably", role)
    monkeypatch.setattr(migrate, "_LOCK_SECONDS", 0.1)
    async with connected(ours, autocommit=True) as holder:
        await holder.execute(b"SELECT pg_advisory_lock(1234567890)")
        state = await as_role(ours, role, migrate.migrate)
    assert state == migrate.SchemaState(True, None, migrate.KNOWN_EXTENSION, True, ())


async def test_a_role_that_may_not_migrate_is_told(ours: str, role: str) -> None:
    change(ours, "DROP SCHEMA durably CASCADE")
    grant(ours, "USAGE ON SCHEMA dbos", role)
    with pytest.raises(DatabaseError, match=f'cannot be migrated by role "{role}" .*permission denied'):
        await as_role(ours, role, migrate.migrate)


async def test_a_read_only_server_is_told(database: str) -> None:
    async with connected(database, options="-c default_transaction_read_only=on") as conn:
        with pytest.raises(DatabaseError, match="read-only"):
            await migrate.migrate(conn)


def test_a_configuration_error_is_no_database_error() -> None:
    assert issubclass(InvalidOption, ConfigurationError)
    assert not issubclass(InvalidOption, DatabaseError)
