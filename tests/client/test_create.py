"""Creating and destroying a client: where it connects, and what it says when that does not work."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from durably import AsyncDBOSClient, DBOSClient, EnqueueOptions, errors
from durably.config import system_database_url
from tests.client.conftest import NewId, Rows
from tests.interop.conftest import open_client
from tests.support.databases import Databases
from tests.support.server import Server

OPTIONS = EnqueueOptions(workflow_name="w", queue_name="q")
COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])
SECRET = "hunter2"


# --- where -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("postgresql://h/shop", "postgresql://h/shop_dbos_sys"),
        ("postgres://u:p@h:5/shop?sslmode=require", "postgres://u:p@h:5/shop_dbos_sys?sslmode=require"),
        ("postgresql+psycopg://h/shop", "postgresql://h/shop_dbos_sys"),
        ("postgresql+asyncpg://u@h/shop", "postgresql://u@h/shop_dbos_sys"),
        ("postgresql://h1:1,h2:2/shop", "postgresql://h1:1,h2:2/shop_dbos_sys"),
        ("postgresql:///shop?host=/tmp", "postgresql:///shop_dbos_sys?host=/tmp"),
        ("postgresql://%2Ftmp/shop", "postgresql://%2Ftmp/shop_dbos_sys"),
        ("postgresql://u:p%40%2F@h/a%2Fb", "postgresql://u:p%40%2F@h/a%2Fb_dbos_sys"),
        ("postgresql://h?dbname=shop&options=-c+x", "postgresql://h/shop_dbos_sys?options=-c+x"),
        ("postgresql://[::1]:5/shop", "postgresql://[::1]:5/shop_dbos_sys"),
    ],
)
def test_the_system_database_is_beside(given: str, found: str) -> None:
    assert system_database_url(given) == found


@pytest.fixture(scope="module")
def beside(server: Server, databases: Databases) -> Iterator[str]:
    """The name of an application database that has a system database beside it."""
    name = f"shop_{uuid.uuid4().hex[:8]}"
    template = databases.migrated()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        source = psycopg.conninfo.conninfo_to_dict(template)["dbname"]
        connection.execute(f'CREATE DATABASE "{name}_dbos_sys" TEMPLATE "{source}"'.encode())
        yield name
        connection.execute(f'DROP DATABASE "{name}_dbos_sys" WITH (FORCE)'.encode())


@COLOURS
def test_it_works_as_in_the_documents(colour: str, server: Server, beside: str) -> None:
    for arguments, options in [
        ((server.url(beside),), {}),
        ((server.url("x"), f"{beside}_dbos_sys"), {}),
        ((server.url("x"),), {"system_database": f"{beside}_dbos_sys"}),
        ((), {"system_database_url": server.url(f"{beside}_dbos_sys")}),
    ]:
        with open_client(colour, *arguments, **options) as client:
            assert client.enqueue(OPTIONS, 1).get_status().status == "ENQUEUED"


def test_the_environment_counts(server: Server, beside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DURABLY_DATABASE_URL", server.url(beside))
    with DBOSClient.create() as client:
        assert client.count_workflows() >= 0
    monkeypatch.delenv("DURABLY_DATABASE_URL")
    with pytest.raises(errors.ConfigurationError, match="DURABLY_DATABASE_URL"):
        DBOSClient.create()


async def test_both_ways_to_open(system_url: str) -> None:
    client = await AsyncDBOSClient.create(system_database_url=system_url)
    await client.enqueue(OPTIONS)
    await client.destroy()
    async with AsyncDBOSClient.create(system_database_url=system_url) as other:
        await other.enqueue(OPTIONS)
        assert (other.schema, other.application_name) == ("dbos", None)
    async with await AsyncDBOSClient.create(system_database_url=system_url) as third:
        await third.enqueue(OPTIONS)
    for closed in (client, other, third):
        with pytest.raises(errors.NotRunning):
            await closed.enqueue(OPTIONS)


def test_another_schema(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute('ALTER SCHEMA dbos RENAME TO "My %s ""x"')
    with DBOSClient.create(system_database_url=database_url, schema='My %s "x') as client:
        handle = client.enqueue(OPTIONS, 1)
        client.send(handle.workflow_id, 1)
        assert [status.workflow_id for status in client.list_workflows()] == [handle.workflow_id]
        assert client.cancel_workflow(handle.workflow_id)


def test_nothing_is_created_or_altered(database_url: str) -> None:
    def catalog() -> list[Any]:
        with psycopg.connect(database_url) as connection:
            objects = (
                "SELECT oid, relname, relkind, relnatts FROM pg_class WHERE relname !~ '^pg_' ORDER BY 1"
            )
            return [connection.execute(objects).fetchall(), connection.execute(VERSION).fetchall()]

    before = catalog()
    with DBOSClient.create(system_database_url=database_url) as client:
        client.enqueue(OPTIONS).cancel()
    assert catalog() == before


VERSION = "SELECT version FROM dbos.dbos_migrations"


# --- what does not work ------------------------------------------------------------------------------------


def refused(colour: str, *arguments: Any, **options: Any) -> errors.DurablyError:
    with pytest.raises(errors.DurablyError) as caught, open_client(colour, *arguments, **options):
        pass
    assert SECRET not in str(caught.value)
    assert threads_of_clients() == []
    return caught.value


def threads_of_clients() -> list[str]:
    """The loop threads of blocking clients that have just been made, and were not closed."""
    return [thread.name for thread in threading.enumerate() if thread.name == "durably-client"]


@COLOURS
def test_no_server(colour: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        error = refused(colour, f"postgresql://u:{SECRET}@127.0.0.1:{port}/shop")
    assert isinstance(error, errors.DatabaseUnavailable)
    assert "is PostgreSQL running there" in str(error)
    assert f"postgresql://u@127.0.0.1:{port}/shop_dbos_sys" in str(error)


@COLOURS
def test_no_host(colour: str) -> None:
    error = refused(colour, f"postgresql://u:{SECRET}@nohost.invalid/shop?connect_timeout=5")
    assert isinstance(error, errors.DatabaseUnavailable)


@COLOURS
def test_no_such_database(colour: str, server: Server) -> None:
    error = refused(colour, server.url("no_such_shop"))
    assert isinstance(error, errors.DatabaseUnavailable)
    assert "no_such_shop_dbos_sys" in str(error)
    assert "durably db migrate" in str(error)


@COLOURS
def test_no_system_database(colour: str, empty_database_url: str) -> None:
    error = refused(colour, system_database_url=empty_database_url)
    assert isinstance(error, errors.NotASystemDatabase)
    assert "durably db migrate" in str(error)


@COLOURS
@pytest.mark.parametrize(
    ("statement", "kind", "advice"),
    [
        ("UPDATE dbos.dbos_migrations SET version = 122", errors.SchemaTooOld, "durably db migrate"),
        (
            "UPDATE dbos.dbos_migrations SET version = 999; "
            "ALTER TABLE dbos.workflow_status DROP creator_xid",
            errors.SchemaTooNew,
            "upgrade durably",
        ),
    ],
)
def test_another_generation(
    colour: str, database_url: str, statement: str, kind: type[Exception], advice: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement.encode())
    error = refused(colour, system_database_url=database_url)
    assert isinstance(error, kind)
    assert advice in str(error)


def test_a_later_generation_of_the_same_shape(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE dbos.dbos_migrations SET version = 126")
    with DBOSClient.create(system_database_url=database_url) as client:
        client.enqueue(OPTIONS)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SECRET}@h/shop",
        "sqlite:///shop.db",
        f"host=h password={SECRET} dbname=shop",
        f"postgresql://u:{SECRET}@h",
        f"postgresql://u:{SECRET}@h/",
        f"postgresql://u:a/{SECRET}@h/shop",
        f"postgresql://u:a@{SECRET}@h/shop",
        f"postgresql://u:a#{SECRET}@h/shop",
        f"postgresql://u:{SECRET}@[::1/shop",
        f"postgresql://h/shop?password={SECRET}&nonsense=1",
        "shop",
        "postgresql:shop",
    ],
)
def test_urls_that_cannot_work(url: str) -> None:
    assert isinstance(refused("sync", url), errors.ConfigurationError)


def test_a_port_that_is_none() -> None:
    assert isinstance(refused("sync", f"postgresql://u:{SECRET}@h:port/shop"), errors.DatabaseUnavailable)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("pool_size", 0),
        ("pool_size", "4"),
        ("schema", ""),
        ("application_name", " "),
        ("codec", "xml"),
        ("codec", object()),
        ("allow_serializations", ["xml"]),
        ("retry_for", -1),
        ("retry_for", float("nan")),
    ],
)
def test_options_that_cannot_work(system_url: str, option: str, value: Any) -> None:
    error = refused("sync", system_database_url=system_url, **{option: value})
    assert isinstance(error, errors.ConfigurationError)


# --- the end -----------------------------------------------------------------------------------------------


def connections(rows: Rows) -> int:
    found = rows.run(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return len(found)


@COLOURS
def test_destroy_leaves_nothing(colour: str, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        rows = Rows(connection)
        with open_client(colour, system_database_url=database_url) as client:
            with pytest.raises(errors.WorkflowTimeout):
                client.enqueue(OPTIONS).get_result(timeout=0.1)
            assert connections(rows) >= 1
            client.destroy()
            client.destroy()
            with pytest.raises(errors.NotRunning):
                client.enqueue(OPTIONS)
        rows.run("SELECT 1")
        while connections(rows):
            rows.run("SELECT pg_sleep(0.01)")
    assert threads_of_clients() == []


@COLOURS
def test_a_wait_ends_with_its_client(colour: str, system_url: str) -> None:
    with open_client(colour, system_database_url=system_url) as client, ThreadPoolExecutor() as pool:
        handle = client.enqueue(OPTIONS)
        waiting = pool.submit(handle.get_result)
        event = pool.submit(client.get_event, handle.workflow_id, "k")
        with pytest.raises(errors.WorkflowTimeout):
            handle.get_result(timeout=0.3)
        client.destroy()
        for future in (waiting, event):
            with pytest.raises(errors.NotRunning):
                future.result(10)


# --- loops and threads -------------------------------------------------------------------------------------


def test_a_blocking_client_inside_another_loop(blocking: DBOSClient) -> None:
    async def inside() -> str:
        return blocking.enqueue(OPTIONS).workflow_id

    assert asyncio.run(inside())


def test_a_blocking_client_on_its_own_loop(blocking: DBOSClient) -> None:
    refusals: list[BaseException] = []

    async def on_its_loop() -> None:
        try:
            blocking.enqueue(OPTIONS)
        except BaseException as error:
            refusals.append(error)

    blocking._portal.call(on_its_loop)
    assert isinstance(refusals[0], errors.WrongContext)
    assert "await" in str(refusals[0])


def test_an_asynchronous_client_on_another_loop(system_url: str) -> None:
    async def make() -> AsyncDBOSClient:
        return await AsyncDBOSClient.create(system_database_url=system_url)

    first = asyncio.new_event_loop()
    client = first.run_until_complete(make())
    with pytest.raises(errors.WrongContext, match="event loop"):
        asyncio.run(client.count_workflows())
    first.run_until_complete(client.destroy())
    first.close()


# --- processes ---------------------------------------------------------------------------------------------


def in_child(function: Any) -> str:
    """What a function returns in a forked child, which ends without any cleaning up."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = str(function())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_blocking_client_survives_a_fork(system_url: str, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    with DBOSClient.create(system_database_url=system_url) as client, ThreadPoolExecutor() as pool:
        handle = client.enqueue(OPTIONS)
        waiting = pool.submit(handle.get_result, 30)

        def child() -> str:
            made = client.enqueue(EnqueueOptions(workflow_name="w", queue_name="q", workflow_id=wid))
            rows_ = [status.workflow_id for status in client.list_workflows()]
            try:
                made.get_result(timeout=0.1)
            except errors.WorkflowTimeout:
                client.destroy()
            return made.workflow_id if wid in rows_ else "not listed"

        assert in_child(child) == wid
        assert in_child(lambda: client.destroy()) == "None"
        assert client.enqueue(OPTIONS, 2).get_status().status == "ENQUEUED"
        rows.end(handle.workflow_id, output="1")
        assert waiting.result(30) == 1
    assert rows.workflow(wid)["status"] == "ENQUEUED"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_an_asynchronous_client_says_that_it_was_forked(system_url: str) -> None:
    loop = asyncio.new_event_loop()
    client = loop.run_until_complete(_open(system_url))
    said = in_child(lambda: asyncio.run(client.count_workflows()))
    assert said.startswith("WrongContext")
    assert "fork" in said
    assert loop.run_until_complete(client.count_workflows()) >= 0
    loop.run_until_complete(client.destroy())
    loop.close()


async def _open(url: str) -> AsyncDBOSClient:
    return await AsyncDBOSClient.create(system_database_url=url)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_pool_of_processes_may_use_it(system_url: str, blocking: DBOSClient) -> None:
    import multiprocessing

    before = blocking.count_workflows()
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=blocking.enqueue, args=(OPTIONS, n)) for n in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert blocking.count_workflows() == before + 3
