"""A database that goes away under a client, and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from durably import EnqueueOptions, Message, errors
from tests.interop.conftest import open_client
from tests.support.server import Server

OPTIONS = EnqueueOptions(workflow_name="w", queue_name="q")
COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


@dataclass
class Outage:
    """Lets nobody into a database any more, and throws out who is in."""

    connection: psycopg.Connection
    name: str

    def begin(self) -> None:
        self._allow(False)
        self.cut()

    def end(self) -> None:
        self._allow(True)

    def cut(self) -> None:
        self.connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [self.name]
        )

    def _allow(self, allowed: bool) -> None:
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        self.connection.execute(statement.format(sql.Identifier(self.name), sql.Literal(allowed)))


@pytest.fixture
def outage(server: Server, database_url: str) -> Iterator[Outage]:
    name = str(conninfo_to_dict(database_url)["dbname"])
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        yield Outage(connection, name)


@COLOURS
def test_a_cut_connection_is_not_noticed(colour: str, database_url: str, outage: Outage) -> None:
    with open_client(colour, system_database_url=database_url) as client:
        ids = []
        for _ in range(3):
            ids.append(client.enqueue(OPTIONS).workflow_id)
            outage.cut()
            client.send(ids[-1], "x")
            outage.cut()
            client.send_many([Message(destination_id=ids[-1], message="y")])
            outage.cut()
            assert client.resume_workflow(ids[-1]).workflow_id == ids[-1]
        outage.cut()
        assert [status.workflow_id for status in client.list_workflows()] == ids


@COLOURS
def test_calls_outlive_an_outage(colour: str, database_url: str, outage: Outage) -> None:
    with open_client(colour, system_database_url=database_url) as client, ThreadPoolExecutor() as pool:
        first = client.enqueue(OPTIONS)
        waiting = pool.submit(first.get_result, 60)
        outage.begin()
        calls = [pool.submit(client.enqueue, OPTIONS, n) for n in range(3)]
        cancel = pool.submit(client.cancel_workflow, first.workflow_id)
        assert wait(calls, timeout=0.5).done == set()
        assert not cancel.done()
        outage.end()
        assert len({call.result(30).workflow_id for call in calls}) == 3
        assert cancel.result(30) is True
        with pytest.raises(errors.WorkflowCancelled):
            waiting.result(30)
        assert client.count_workflows() == 4


@COLOURS
def test_a_long_outage_is_an_error_and_then_over(colour: str, database_url: str, outage: Outage) -> None:
    with (
        open_client(colour, system_database_url=database_url, retry_for=0.5) as client,
        ThreadPoolExecutor() as pool,
    ):
        handle = client.enqueue(OPTIONS)
        waiting = pool.submit(handle.get_result)
        outage.begin()
        with pytest.raises(errors.DatabaseUnavailable, match="retry_for"):
            client.enqueue(OPTIONS)
        with pytest.raises(errors.DatabaseUnavailable, match="retry_for"):
            waiting.result(30)
        outage.end()
        with open_client(colour, system_database_url=database_url) as other:
            other.cancel_workflow(handle.workflow_id)
        with pytest.raises(errors.WorkflowCancelled):
            handle.get_result(timeout=30)


@COLOURS
def test_timeouts_hold_in_an_outage(colour: str, database_url: str, outage: Outage) -> None:
    with open_client(colour, system_database_url=database_url) as client:
        handle = client.enqueue(OPTIONS)
        outage.begin()
        started = time.monotonic()
        with pytest.raises(errors.WorkflowTimeout):
            handle.get_result(timeout=0.8)
        assert client.get_event(handle.workflow_id, "k", timeout_seconds=0.8) is None
        assert time.monotonic() - started < 6
        outage.end()


@COLOURS
def test_without_listen(colour: str, database_url: str, outage: Outage) -> None:
    with open_client(colour, system_database_url=database_url, listen=False) as client:
        handle = client.enqueue(OPTIONS)
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(handle.get_result, 30)
            handle.cancel()
            with pytest.raises(errors.WorkflowCancelled):
                waiting.result(30)
        listeners = "SELECT 1 FROM pg_stat_activity WHERE datname = %s AND query ~ '^LISTEN'"
        assert outage.connection.execute(listeners, [outage.name]).fetchall() == []


def test_a_list_that_takes_too_long(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from durably.store import workflows

    monkeypatch.setattr(workflows, "LIMIT", 0.2)
    with (
        open_client("sync", system_database_url=database_url) as client,
        psycopg.connect(database_url) as connection,
    ):
        client.enqueue(OPTIONS)
        connection.execute("LOCK TABLE dbos.workflow_status IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(errors.DatabaseError, match="narrow the filter"):
            client.list_workflows()


def test_a_right_that_is_taken_away_ends_waits(database_url: str, server: Server) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        with open_client("sync", system_database_url=database_url) as client, ThreadPoolExecutor() as pool:
            waiting = pool.submit(client.enqueue(OPTIONS).get_result)
            connection.execute("ALTER TABLE dbos.workflow_events RENAME TO elsewhere")
            with pytest.raises(errors.DatabaseError):
                waiting.result(30)
