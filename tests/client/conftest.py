"""A system database per module, our client in both colours on it, and SQL in place of an application."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from durably import DBOSClient
from tests.interop.conftest import open_client
from tests.support.databases import Databases

NewId = Callable[..., str]


@dataclass(frozen=True)
class Rows:
    """What is in the system database, read and written behind the client's back."""

    connection: psycopg.Connection[dict[str, Any]]

    def run(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self.connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def workflow(self, workflow_id: str) -> dict[str, Any]:
        """Every column of a workflow's row."""
        (row,) = self.run("SELECT * FROM dbos.workflow_status WHERE workflow_uuid = %s", workflow_id)
        return row

    def inputs(self, workflow_id: str) -> str:
        (row,) = self.run("SELECT inputs FROM dbos.workflow_input WHERE workflow_uuid = %s", workflow_id)
        return str(row["inputs"])

    def count(self) -> int:
        return int(self.run("SELECT count(*) AS n FROM dbos.workflow_status")[0]["n"])

    def become(self, workflow_id: str, status: str, **columns: Any) -> None:
        """Put a workflow in a status, with columns of your choice."""
        names = "".join(f", {name} = %s" for name in columns)
        self.run(
            f"UPDATE dbos.workflow_status SET status = %s{names} WHERE workflow_uuid = %s",
            status,
            *columns.values(),
            workflow_id,
        )

    def end(
        self, workflow_id: str, status: str = "SUCCESS", output: str | None = None, error: str | None = None
    ) -> None:
        """What an executor that notifies nobody does at the end."""
        self.run(
            "INSERT INTO dbos.workflow_output (workflow_uuid, output, error) VALUES (%s, %s, %s)",
            workflow_id,
            output,
            error,
        )
        self.become(workflow_id, status, owner_xid=None)

    def set_event(self, workflow_id: str, key: str, value: str, serialization: str = "portable_json") -> None:
        self.run(
            "INSERT INTO dbos.workflow_events (workflow_uuid, key, value, serialization) "
            "VALUES (%s, %s, %s, %s)",
            workflow_id,
            key,
            value,
            serialization,
        )

    def messages(self, workflow_id: str) -> list[dict[str, Any]]:
        return self.run("SELECT * FROM dbos.notifications WHERE destination_uuid = %s", workflow_id)


@pytest.fixture(scope="module")
def system_url(databases: Databases) -> Iterator[str]:
    url = databases.migrated()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def rows(system_url: str) -> Iterator[Rows]:
    with psycopg.connect(system_url, autocommit=True, row_factory=dict_row) as connection:
        yield Rows(connection)


@pytest.fixture(scope="module", params=["sync", "async"])
def client(request: pytest.FixtureRequest, system_url: str) -> Iterator[DBOSClient]:
    """Our client of either colour behind the blocking face."""
    with open_client(request.param, system_database_url=system_url) as client:
        yield client


@pytest.fixture(scope="module")
def blocking(system_url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=system_url) as client:
        yield client


@pytest.fixture
def new_id() -> NewId:
    """Ids that no other test has."""
    return lambda word="wf": f"{word}-{uuid.uuid4()}"
