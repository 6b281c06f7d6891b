"""What the test suite relies on does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.databases import Databases

ROOT = Path(__file__).resolve().parents[2]

SKIPPING = """
import pytest

@pytest.mark.skip(reason="{reason}")
def test_something(): ...

def test_other(): ...
"""


@pytest.mark.parametrize(
    ("reason", "ci", "code"),
    [("no node here", "", 0), ("no node here", "true", 1), ("platform: needs Windows", "true", 0)],
)
def test_a_skip_fails_only_in_ci(tmp_path: Path, reason: str, ci: str, code: int) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPING.format(reason=reason))
    (tmp_path / "conftest.py").write_text("from tests.conftest import *  # noqa: F403\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*command, str(tmp_path)],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert ("skipped, which fails in CI" in done.stdout) == bool(code)


def test_databases_are_strangers_to_each_other(databases: Databases) -> None:
    urls = [databases.migrated(), databases.migrated(), databases.empty()]
    counts = []
    for url in urls:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'dbos'").fetchone()
            counts.append(row and row[0])
            connection.execute("CREATE TABLE only_here ()")
    for url in urls:
        databases.drop(url)
    assert counts == [1, 1, 0]


def test_a_database_that_held_only_rows_is_emptied_and_used_again(databases: Databases) -> None:
    first = databases.migrated()
    number = identity(first)
    with psycopg.connect(first, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO dbos.workflow_status (workflow_uuid, status, name) VALUES ('a', 'SUCCESS', 'w')"
        )
        connection.execute("INSERT INTO dbos.operation_outputs VALUES ('a', 1, 'step')")
        databases.drop(first)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first)
    second = databases.migrated()
    try:
        assert identity(second) == number
        with psycopg.connect(second) as connection:
            assert connection.execute("SELECT count(*) FROM dbos.workflow_status").fetchone() == (0,)
            assert connection.execute("SELECT count(*) > 0 FROM dbos.dbos_migrations").fetchone() == (True,)
    finally:
        databases.drop(second)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE only_here ()",
        "DROP TABLE dbos.streams CASCADE",
        "ALTER TABLE dbos.streams ADD COLUMN more text",
        "DROP INDEX dbos.idx_workflow_status_pending",
        "CREATE FUNCTION only_here() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "GRANT SELECT ON dbos.streams TO PUBLIC",
        "REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
        "ALTER DATABASE {name} SET work_mem = '8MB'",
        "UPDATE dbos.dbos_migrations SET version = version + 1",
        "ANALYZE dbos.dbos_migrations",
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, inputs)"
        " SELECT n, 'SUCCESS', md5(n::text) FROM generate_series(1, 20000) n",
    ],
)
def test_a_database_that_is_not_as_it_was_is_not_used_again(databases: Databases, change: str) -> None:
    url = databases.migrated()
    number, name = identity(url), conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(change.format(name=name))
    databases.drop(url)
    after = databases.migrated()
    try:
        assert identity(after) != number
    finally:
        databases.drop(after)


def identity(url: str) -> int:
    """Of the database itself, whatever its name is."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        assert row is not None
        return int(row[0])


def test_a_database_can_be_dropped_while_in_use(databases: Databases) -> None:
    url = databases.empty()
    with psycopg.connect(url) as connection:
        databases.drop(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
