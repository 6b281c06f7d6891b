"""Every statement is one that PostgreSQL understands, on the tables as migrated, and one that is used."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import durably
from durably.store.sql import Schemas, names, statement
from tests.support.databases import Databases

SOURCES = Path(durably.__file__).parent
PARAMETER = re.compile(r"%\((\w+)\)s")


def numbered(query: str) -> str:
    """The statement with PostgreSQL's own `$n` for parameters."""
    order = list(dict.fromkeys(PARAMETER.findall(query)))
    return PARAMETER.sub(lambda match: f"${order.index(match[1]) + 1}", query).replace("%%", "%")


@pytest.mark.parametrize("name", names())
def test_a_statement_is_prepared(name: str, migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        query = numbered(statement(name, Schemas()).decode())
        result = connection.pgconn.prepare(b"checked", query.encode())
        assert not result.error_message, result.error_message.decode()


@pytest.fixture(scope="module")
def migrated(databases: Databases) -> str:
    url = databases.migrated()
    with psycopg.connect(url, autocommit=True) as connection:  # as in an application's database
        connection.execute(statement("transactions/create", Schemas()))
    return url


def test_every_statement_is_used() -> None:
    code = "\n".join(path.read_text("utf-8") for path in SOURCES.rglob("*.py"))
    assert [name for name in names() if f'"{name}"' not in code] == []


def test_a_statement_that_is_wrong_would_be_told(migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as connection:
        assert connection.pgconn.prepare(b"wrong", b"SELECT no_such FROM dbos.workflow_status").error_message
