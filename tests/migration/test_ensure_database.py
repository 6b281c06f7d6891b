"""`ensure_database` creates what is missing, once, and says what is in the way."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from durably.errors import ConfigurationError, DatabaseError, DatabaseUnavailable
from durably.store import migrate
from tests.migration.catalog import rows
from tests.migration.conftest import Server, database_name


async def test_it_is_created_once(server: Server) -> None:
    url = server.url(server.new_name())
    assert await migrate.ensure_database(url)
    assert rows(url, "SELECT 1") == [(1,)]
    assert not await migrate.ensure_database(url)


async def test_ten_at_once(server: Server) -> None:
    url = server.url(server.new_name())
    created = await asyncio.gather(*(migrate.ensure_database(url) for _ in range(10)))
    assert sorted(created) == [False] * 9 + [True]


async def test_any_name_will_do(server: Server) -> None:
    name = f'{server.new_name()} "x" %'
    server.made.append(name)
    url = psycopg.conninfo.make_conninfo(server.url("postgres"), dbname=name)
    assert await migrate.ensure_database(url)
    assert rows(url, "SELECT current_database()::text") == [(name,)]


@pytest.fixture
def powerless(server: Server) -> Iterator[str]:
    name = server.new_name()
    server.admin("CREATE ROLE {} LOGIN PASSWORD 'secret'", name)
    yield name
    server.admin("DROP ROLE {}", name)


async def test_a_role_that_may_not_create_is_told(server: Server, powerless: str) -> None:
    name = server.new_name()
    url = psycopg.conninfo.make_conninfo(server.url(name), user=powerless)
    with pytest.raises(
        DatabaseError, match=f'"{powerless}" may not create it.*CREATE DATABASE "{name}"'
    ) as refusal:
        await migrate.ensure_database(url)
    assert not isinstance(refusal.value, DatabaseUnavailable)
    assert "secret" not in str(refusal.value)


async def test_a_database_that_is_there_but_closed(server: Server, powerless: str) -> None:
    name = database_name(server.create())
    server.admin("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", name)
    url = psycopg.conninfo.make_conninfo(server.url(name), user=powerless)
    with pytest.raises(
        DatabaseUnavailable, match=f'"{name}" exists, but it cannot be used.*permission denied'
    ):
        await migrate.ensure_database(url)


async def test_no_server() -> None:
    url = "postgresql://me:secret@127.0.0.1:1/some_dbos_sys"
    with pytest.raises(
        DatabaseUnavailable, match=r'"some_dbos_sys" cannot be reached(.|\n)*refused'
    ) as refusal:
        await migrate.ensure_database(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://localhost", "names no database"),
        ("postgresql://localhost/", "names no database"),
        ("mysql://secret", "cannot be read"),
        ("postgresql://h/d?nonsense=secret", "cannot be read"),
    ],
)
async def test_no_url(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as refusal:
        await migrate.ensure_database(url)
    assert "secret" not in "".join(traceback.format_exception(refusal.value))


def test_the_names_of_databases_are_quoted() -> None:
    assert (
        migrate._fill("CREATE DATABASE {database}", None, database='a"{database}')
        == 'CREATE DATABASE "a""{database}"'
    )
    assert sql.Identifier('a"{database}').as_string(None) == '"a""{database}"'
