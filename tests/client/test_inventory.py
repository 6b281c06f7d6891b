"""Who runs workflows, and how much room the tables take, as a client tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from durably import AsyncDBOSClient, EnqueueOptions, aio
from durably.app import App
from durably.core.storage import advice
from tests.engine.support import enqueue, eventually, rows, status

PENDING = (  # one that was started directly, two of a queue
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, "
    "application_name, application_version) SELECT 'p' || n, 'PENDING', 'w', CASE WHEN n > 1 THEN 'q' END, "
    "'dbos-1', 'shop', 'v7' FROM generate_series(1, 3) n"
)


@pytest.fixture
async def client(database_url: str) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        yield client


async def test_executors_are_listed_with_their_lease_and_what_runs(
    client: AsyncDBOSClient, database_url: str
) -> None:
    app = App("shop", system_database_url=database_url)
    app.queue("q")

    @app.workflow(name="wait")
    async def wait() -> None:
        await aio.recv("go", timeout=None)

    async with app:
        enqueue(database_url, "w1", "wait")
        await eventually(lambda: status(database_url, "w1") == "PENDING")
        (alive,) = await client.list_executors()
        assert (alive.executor_id, alive.state, alive.application_name) == (app.executor_id, "alive", "shop")
        assert alive.running_on == {"q": 1}
        assert alive.running == 1
        assert alive.pid is not None and alive.started_at is not None and alive.expires_at is not None
        assert alive.expires_at > alive.started_at
    (closed,) = await client.list_executors(application_name="shop")
    assert (closed.state, closed.running) == ("closed", 0)
    assert closed.stopped_at is not None
    assert await client.list_executors(application_name="other") == []


async def test_an_executor_whose_lease_ran_out_is_expired(client: AsyncDBOSClient, database_url: str) -> None:
    rows(
        database_url,
        "INSERT INTO durably.executors (executor_id, application_name, application_version, host, "
        "expires_at, lease_seconds) VALUES ('gone', 'a', 'v', 'h', now() - interval '1 s', 15)",
    )
    assert [(e.executor_id, e.state) for e in await client.list_executors()] == [("gone", "expired")]


async def test_processes_of_dbos_are_known_by_what_they_run(
    client: AsyncDBOSClient, database_url: str
) -> None:
    rows(database_url, PENDING)
    (seen,) = await client.list_executors()
    assert (seen.executor_id, seen.state, seen.app_version) == ("dbos-1", "no lease", "v7")
    assert seen.running_on == {"": 1, "q": 2}
    assert seen.started_at is None


async def test_executors_and_storage_need_nothing_of_durably(database_url: str) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    rows(database_url, PENDING)
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        assert [executor.state for executor in await client.list_executors()] == ["no lease"]
        assert {table.schema for table in (await client.storage()).tables} == {"dbos"}


async def test_storage_tells_sizes_and_what_is_dead(client: AsyncDBOSClient, database_url: str) -> None:
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, completed_at) "
        "SELECT 'w' || n, 'SUCCESS', 'w', 1000 + n FROM generate_series(1, 2000) n",
    )
    rows(database_url, "VACUUM ANALYZE dbos.workflow_status")
    storage = await client.storage()
    (table,) = [t for t in storage.tables if (t.schema, t.name) == ("dbos", "workflow_status")]
    assert table.rows == 2000
    assert table.total_bytes >= table.heap_bytes + table.index_bytes + table.toast_bytes > 0
    assert table.vacuum_at == 450  # 50 and a fifth of the rows, as PostgreSQL has it
    assert table.vacuumed_at is not None and table.analyzed_at is not None
    assert table.advice is None
    assert storage.oldest_finished_at == 1001
    assert storage.bytes > table.total_bytes
    assert not storage.is_read_only
    assert {t.schema for t in storage.tables} == {"dbos", "durably"}
    assert storage.tables[0] == table


async def test_storage_follows_the_options_of_a_table(client: AsyncDBOSClient, database_url: str) -> None:
    rows(
        database_url,
        "ALTER TABLE dbos.streams SET (autovacuum_vacuum_threshold = 7, autovacuum_enabled = off)",
    )
    (table,) = [t for t in (await client.storage()).tables if t.name == "streams"]
    assert (table.vacuum_at, table.autovacuums) == (7, False)


async def test_storage_reads_where_nothing_can_be_written(database_url: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    rows(database_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        assert (await client.storage()).is_read_only
        assert await client.list_executors() == []


def test_a_table_gets_advice_when_autovacuum_does_not_keep_up() -> None:
    assert advice(rows=100_000, dead_rows=20_000, vacuum_at=20_050, autovacuums=True) is None
    late = advice(rows=100_000, dead_rows=50_000, vacuum_at=20_050, autovacuums=True)
    assert late is not None and "50,000 of its rows are dead (33%)" in late and "replication slot" in late
    off = advice(rows=100_000, dead_rows=50_000, vacuum_at=20_050, autovacuums=False)
    assert off is not None and "autovacuum is off" in off


async def test_workflows_are_known_with_their_parameters(client: AsyncDBOSClient, database_url: str) -> None:
    def application(version: str) -> App:
        return App("shop", version=version, system_database_url=database_url)

    app = application("v1")

    @app.workflow(name="purchase")
    async def purchase(event: str, seats: int = 1) -> None: ...

    @app.workflow(name="old")
    async def old() -> None: ...

    async with app:
        await app.client.enqueue(EnqueueOptions(workflow_name="purchase", queue_name="q"), "Sonic")
    enqueue(database_url, "w1", "foreign", application_name="other")
    known = {each.name: each for each in await client.list_known_workflows()}
    assert set(known) == {"foreign", "old", "purchase"}
    told = known["purchase"].parameters
    assert told is not None
    assert [(p["name"], p["schema"]["type"]) for p in told["parameters"]] == [
        ("event", "string"),
        ("seats", "integer"),
    ]
    assert (known["purchase"].queue_name, known["purchase"].application_name) == ("q", "shop")
    assert (known["foreign"].parameters, known["foreign"].application_name) == (None, "other")
    assert (known["old"].parameters, known["old"].last_started_at) == ({"parameters": []}, None)

    again = application("v1")

    @again.workflow(name="purchase")
    async def purchase_again(event: str) -> None: ...

    async with again:
        assert "old" not in {each.name for each in await client.list_known_workflows()}
